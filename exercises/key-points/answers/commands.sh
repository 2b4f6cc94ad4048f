# By commands; artworks' selector is not that of the Deployment, so `kubectl expose` is told it.
kubectl expose deployment artworks --selector=app=artworks --port=80 --target-port=http-api
kubectl expose deployment museum --type=LoadBalancer --port=80 --target-port=http-web
kubectl create service clusterip vault --clusterip=None --tcp=8080:8080
kubectl patch configmap museum-config -p '{"data":{"ARTWORKS_URL":"http://artworks.key-points/hostname","VAULT_URL":"vault-0.vault.key-points:8080"}}'
