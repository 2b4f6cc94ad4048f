# criterion: endpoints
# diagnosis: selector-matches-no-pod
# New Pods of the same template.
kubectl rollout restart deployment/${APP}-main
