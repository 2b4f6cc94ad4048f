# criterion: endpoints
# diagnosis: service-missing
# The Service was not what was broken, and now it is gone.
kubectl delete service ${APP}-booking
