# The Service in the cluster patched: the port that was there is named, two are added.
kubectl patch service inventory -p '{"spec": {"ports": [
  {"port": 80, "name": "http"},
  {"port": 8081, "name": "admin", "targetPort": 8000},
  {"port": 9090, "name": "metrics", "targetPort": 9100}]}}'
