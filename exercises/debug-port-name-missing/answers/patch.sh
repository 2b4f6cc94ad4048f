# The Service in the cluster patched: the port that was there is named, two are added.
kubectl patch service ${SERVICE} -p '{"spec": {"ports": [
  {"port": 80, "name": "http"},
  {"port": ${ADMIN}, "name": "admin", "targetPort": 8000},
  {"port": 9090, "name": "${METRICS}", "targetPort": 9100}]}}'
