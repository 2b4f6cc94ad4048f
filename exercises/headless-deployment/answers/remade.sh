# First with a ClusterIP, then made again without: clusterIP cannot be changed in place.
kubectl create service clusterip engine-peers --tcp=9000:9000
kubectl delete service engine-peers
kubectl create service clusterip engine-peers --clusterip=None --tcp=9000:9000
kubectl set selector service engine-peers app=engine
