# criterion: service
# diagnosis: service-deleted
# The broken Service is gone, and nothing is in its place.
kubectl delete service ${SHOP}-search
