# The manifest that expose writes, applied.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --dry-run=client -o yaml |
  kubectl apply -f -
