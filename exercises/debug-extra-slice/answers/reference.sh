# Nobody needs it any more.
kubectl delete endpointslice ${SERVICE}-migration
