# criterion: endpoints
# diagnosis: endpoints-differ
# New Pods; the stranger stays.
kubectl rollout restart deployment/${SERVICE}
kubectl rollout status deployment/${SERVICE} --timeout=60s
