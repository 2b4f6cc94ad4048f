# criterion: every-node
# diagnosis: policy-starves-node
# New Pods on the same nodes.
kubectl delete pods -l app=inventory --grace-period=1
kubectl rollout status deployment/inventory --timeout=60s
