# criterion: printers
# diagnosis: env-missing
# New Pods of the depot: the wrong side.
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
kubectl rollout restart deployment/depot
kubectl rollout status deployment/depot --timeout=60s
