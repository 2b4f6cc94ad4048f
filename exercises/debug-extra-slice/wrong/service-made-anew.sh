# criterion: endpoints
# diagnosis: endpoints-differ
# The slice belongs to the name; it takes to the new Service as well.
kubectl delete service ${SERVICE}
kubectl expose deployment ${SERVICE} --port=${PORT} --target-port=8080
