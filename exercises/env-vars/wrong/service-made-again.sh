# criterion: printers
# diagnosis: env-stale
# The Service made again after the printers: another address.
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
kubectl rollout restart deployment/printer
kubectl rollout status deployment/printer --timeout=60s
kubectl delete service paper-depot
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
