# By commands alone.
kubectl expose deployment takoyaki --type=NodePort --port=80 --target-port=8080
kubectl expose deployment yakisoba --type=NodePort --port=80 --target-port=8080
