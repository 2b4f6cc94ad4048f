# criterion: endpoints
# diagnosis: endpoints-differ
# The wrong one of the two: the controller writes it anew.
kubectl delete endpointslices -l kubernetes.io/service-name=${SERVICE},endpointslice.kubernetes.io/managed-by=endpointslice-controller.k8s.io
