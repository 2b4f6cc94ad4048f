# Everything that the team of the move has left.
kubectl delete endpointslices -l endpointslice.kubernetes.io/managed-by=migration-team
