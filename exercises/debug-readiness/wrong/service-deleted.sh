# criterion: endpoints
# diagnosis: service-deleted
# The Service was not what was broken, and now it is gone.
kubectl delete service ${APP}-booking
