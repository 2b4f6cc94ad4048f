# criterion: endpoints
# diagnosis: pods-not-ready
# New Pods of the same template.
kubectl rollout restart deployment/${APP}-booking
