# By commands alone.
kubectl expose deployment catalog --port=80 --target-port=8080
kubectl expose deployment gate --type=NodePort --port=80 --target-port=8080
kubectl expose deployment website --type=LoadBalancer --port=80 --target-port=8080
kubectl create service externalname publisher --external-name=api.publisher.example
kubectl expose deployment shelf --name=shelves --cluster-ip=None --port=8080
