# criterion: endpoints
# diagnosis: selector-matches-no-pod
# The selector is made from the Service's name, not from the Pods.
kubectl create service clusterip press-desk --tcp=80:8080
