# docs and accepted answers pin busybox:1.28 because its nslookup uses the search list (docker-library/busybox#48, kubernetes/kubernetes#66924).
kubectl run bb28 --image=busybox:1.28 --restart=Never --rm -i -- nslookup kubernetes.default
# right (exit 0):
#   Server:    10.96.0.10
#   Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local
#
#   Name:      kubernetes.default
#   Address 1: 10.96.0.1 kubernetes.default.svc.cluster.local
