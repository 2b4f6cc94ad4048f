# criterion: service
# diagnosis: service-missing
# Removed to be made anew, and not made anew.
kubectl delete service ${SERVICE}
