# The same by a patch of the running Deployment.
kubectl patch deployment tickets-next -p '{"spec":{"template":{"spec":{"containers":[{"name":"server","readinessProbe":{"httpGet":{"path":"/readyz","port":8080},"periodSeconds":1}}]}}}}'
