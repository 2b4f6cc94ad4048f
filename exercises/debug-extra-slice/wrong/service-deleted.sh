# criterion: endpoints
# diagnosis: service-deleted
# The Service is gone, and nothing was made in its place.
kubectl delete service ${SERVICE}
