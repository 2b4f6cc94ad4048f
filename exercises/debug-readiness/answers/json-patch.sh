# The same by its place.
kubectl patch deployment ${APP}-booking --type=json \
  -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe/httpGet/port","value":"http-api"}]'
