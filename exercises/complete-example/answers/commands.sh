# By commands, as far as they go: what kubectl cannot create is patched in.
kubectl create deployment tickets --image=registry.k8s.io/e2e-test-images/agnhost:2.63.0 --replicas=3 --port=8080 -- /agnhost netexec --http-port=8080
kubectl patch deployment tickets -p '{"spec":{"template":{"spec":{"containers":[{"name":"agnhost","readinessProbe":{"httpGet":{"path":"/readyz","port":8080},"periodSeconds":1}}]}}}}'
kubectl create service clusterip tickets --tcp=80:8080
kubectl create service loadbalancer tickets-public --tcp=80:8080
kubectl patch service tickets --type=json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"http"}]'
kubectl patch service tickets-public --type=json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"http"},{"op":"replace","path":"/spec/selector/app","value":"tickets"}]'
