# criterion: probe
# diagnosis: object-missing
# The next version was deleted.
kubectl delete deployment tickets-next
