# criterion: call
# diagnosis: call-value-is-address
# The Service's address in place of its name.
kubectl expose deployment kitchen --port=80 --target-port=8080
address=$(kubectl get service kitchen -o jsonpath='{.spec.clusterIP}')
kubectl patch configmap waiter-config -p "{\"data\":{\"KITCHEN_URL\":\"http://$address/\"}}"
