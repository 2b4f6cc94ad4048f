# criterion: call
# diagnosis: call-name-unresolved
# An address is no name: accepted, and never published.
address=$(kubectl get service ledger -n externalname-alias-office -o jsonpath='{.spec.clusterIP}')
kubectl create service externalname accounts --external-name="$address"
