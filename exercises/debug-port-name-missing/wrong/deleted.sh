# criterion: ports
# diagnosis: service-missing
# The Service is removed, and the refused manifest does not bring it back.
kubectl delete service ${SERVICE}
