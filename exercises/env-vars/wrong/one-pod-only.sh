# criterion: printers
# diagnosis: env-missing
# One of the two printers made anew.
kubectl apply -f - <<'MANIFEST'
apiVersion: v1
kind: Service
metadata:
  name: paper-depot
spec:
  selector:
    app: depot
  ports:
    - name: http
      port: 80
      targetPort: http-main
MANIFEST
pod=$(kubectl get pods -l app=printer -o jsonpath='{.items[0].metadata.name}')
kubectl delete pod "$pod"
kubectl rollout status deployment/printer --timeout=60s
