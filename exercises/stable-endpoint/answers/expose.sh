# By commands alone.
kubectl expose deployment kitchen --port=80 --target-port=8080
kubectl patch configmap waiter-config -p '{"data":{"KITCHEN_URL":"http://kitchen/"}}'
