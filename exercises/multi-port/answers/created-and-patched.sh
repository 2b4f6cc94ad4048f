# Made by a command, then given its selector and its ports.
kubectl create service clusterip library --tcp=80:8080
kubectl patch service library --type=merge -p '{"spec": {"selector": {"app": "library", "role": "server"}, "ports": [
  {"name": "http", "port": 80, "targetPort": 8080},
  {"name": "https", "port": 443, "targetPort": 8443},
  {"name": "metrics", "port": 9090, "targetPort": 9100}]}}'
