# criterion: endpoints
# diagnosis: selector-matches-other-pods
# The other Deployment.
kubectl expose deployment press-archive --name=press-desk --port=80 --target-port=8080
