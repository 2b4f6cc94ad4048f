# criterion: endpoints
# diagnosis: selector-not-of-template
# It works until the Pods are made anew.
kubectl label pods -l app=${APP},track=main traffic=${FLAG}
