# The selector is written out: without it, expose takes that of one Deployment.
kubectl expose deployment engine --name=engine-peers --cluster-ip=None --selector=app=engine --port=9000
