# criterion: service
# diagnosis: service-port-missing
# The right number under the wrong protocol.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --protocol=UDP
