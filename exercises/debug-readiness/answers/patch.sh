# Only the probe's port is changed.
kubectl patch deployment ${APP}-booking -p '{"spec":{"template":{"spec":{"containers":[{"name":"server","readinessProbe":{"httpGet":{"port":${LISTEN}}}}]}}}}'
