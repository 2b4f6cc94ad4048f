# criterion: reach
# diagnosis: slice-relabelled
# The label that ties it to the Service is taken off; kube-proxy goes on as before.
kubectl label endpointslice ${SERVICE}-migration kubernetes.io/service-name-
