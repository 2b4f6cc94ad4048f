# criterion: reach
# diagnosis: slice-relabelled
# It belongs to no Service any more, so the objects look right; kube-proxy goes on as before.
kubectl label endpointslice ${SERVICE}-migration kubernetes.io/service-name=${SERVICE}-old --overwrite
