# criterion: ground
# diagnosis: ground-changed
# With more Pods it happens less often.
kubectl scale deployment/${SERVICE} --replicas=4
kubectl rollout status deployment/${SERVICE} --timeout=60s
