# criterion: reach-same-namespace
# diagnosis: service-is-headless
# Headless: no stable IP address.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --cluster-ip=None
