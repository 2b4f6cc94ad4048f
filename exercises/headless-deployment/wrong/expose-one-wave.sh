# criterion: endpoints
# diagnosis: selector-too-narrow
# expose takes the selector of one Deployment: the next wave would never join.
kubectl expose deployment engine --name=engine-peers --cluster-ip=None --port=9000
