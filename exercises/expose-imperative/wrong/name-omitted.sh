# criterion: service
# diagnosis: service-missing
# Without --name the Service is called as the Deployment is.
kubectl expose deployment press-front --port=80 --target-port=8080
