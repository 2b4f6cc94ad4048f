# criterion: endpoints
# diagnosis: selector-too-narrow
# One of the two Pods, by hand.
pod=$(kubectl get pods -l app=${APP},track=main -o name | head -n 1)
kubectl label "$pod" traffic=${FLAG}
