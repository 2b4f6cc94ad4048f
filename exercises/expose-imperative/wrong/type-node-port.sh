# criterion: service
# diagnosis: service-type-differs
# Opens a port on every node, which was not asked for.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --type=NodePort
