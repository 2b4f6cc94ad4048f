# criterion: service
# diagnosis: service-port-missing
# Without --port the Service takes the container's port.
kubectl expose deployment press-front --name=press-desk --target-port=8080
