# criterion: ground
# diagnosis: ground-gone
# All that no controller wrote, and with it the way to the partner.
kubectl delete endpointslices -l "endpointslice.kubernetes.io/managed-by notin (endpointslice-controller.k8s.io)"
