# criterion: endpoints
# diagnosis: target-port-mismatch
# Without --target-port the Service's port is taken, where nothing listens.
kubectl expose deployment press-front --name=press-desk --port=80
