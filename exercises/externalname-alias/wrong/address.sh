# criterion: call
# diagnosis: alias-is-address
# An address is no name: accepted, and never published.
address=$(kubectl get service ledger -n externalname-alias-office -o jsonpath='{.spec.clusterIP}')
kubectl create service externalname accounts --external-name="$address"
