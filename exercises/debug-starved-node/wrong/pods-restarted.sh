# criterion: every-node
# diagnosis: policy-starves-node
# New Pods on the same nodes.
kubectl delete pods -l app=${SERVICE} --grace-period=1
kubectl rollout status deployment/${SERVICE} --timeout=60s
