# criterion: endpoints
# diagnosis: target-port-name-unknown
# A name that no container port of the Pods has.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=http
