# The Service by command, its port named; then new Pods.
kubectl create service clusterip paper-depot --tcp=80:8080
kubectl patch service paper-depot --patch '{"spec": {"selector": {"app": "depot"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}'
kubectl rollout restart deployment/printer
kubectl rollout status deployment/printer --timeout=60s
