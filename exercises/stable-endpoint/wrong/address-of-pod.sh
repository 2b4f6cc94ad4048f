# criterion: call
# diagnosis: call-value-is-address
# Today's address of a Pod in place of yesterday's.
kubectl expose deployment kitchen --port=80 --target-port=8080
address=$(kubectl get pods -l app=kitchen -o jsonpath='{.items[0].status.podIP}')
kubectl patch configmap waiter-config -p "{\"data\":{\"KITCHEN_URL\":\"http://$address:8080/\"}}"
