# criterion: ground
# diagnosis: ground-gone
# The information desk out of the way.
kubectl delete service information
kubectl expose deployment takoyaki --type=NodePort --port=80 --target-port=8080
kubectl expose deployment yakisoba --type=NodePort --port=80 --target-port=8080
