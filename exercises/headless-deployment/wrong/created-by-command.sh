# criterion: endpoints
# diagnosis: selector-matches-no-pod
# create service selects by the label app with the Service's own name.
kubectl create service clusterip engine-peers --clusterip=None --tcp=9000:9000
