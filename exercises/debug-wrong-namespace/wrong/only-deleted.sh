# criterion: service
# diagnosis: service-missing
# The one in the wrong place is deleted, and nothing is in its stead.
kubectl delete service ${APP} -n debug-wrong-namespace-staging
