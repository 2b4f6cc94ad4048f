# criterion: service
# diagnosis: service-deleted
# Removed to be made anew, and not made anew.
kubectl delete service signup
