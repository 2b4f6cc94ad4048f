# By a command alone; its selector is app=aquarium by itself.
kubectl create service nodeport aquarium --tcp=80:8080 --node-port=30045
