# criterion: printers
# diagnosis: env-missing
# New Pods, but once more before the Service.
kubectl rollout restart deployment/printer
kubectl rollout status deployment/printer --timeout=60s
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
