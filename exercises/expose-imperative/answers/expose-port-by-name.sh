# The Pods' port by its name.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=http-api
