# criterion: ground
# diagnosis: ground-changed
# Another number for the information desk: the posters are wrong now.
kubectl patch service information --type=json -p '[{"op":"replace","path":"/spec/ports/0/nodePort","value":30048}]'
kubectl expose deployment takoyaki --type=NodePort --port=80 --target-port=8080
kubectl expose deployment yakisoba --type=NodePort --port=80 --target-port=8080
