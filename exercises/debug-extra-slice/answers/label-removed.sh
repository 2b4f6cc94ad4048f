# Without the label it is nobody's slice.
kubectl label endpointslice ${SERVICE}-migration kubernetes.io/service-name-
