# criterion: ports
# diagnosis: service-deleted
# The Service is removed, and the refused manifest does not bring it back.
kubectl delete service ${SERVICE}
