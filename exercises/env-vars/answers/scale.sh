# Down to nothing and up again.
kubectl apply -f - <<'MANIFEST'
apiVersion: v1
kind: Service
metadata:
  name: paper-depot
spec:
  selector:
    app: depot
    site: mill
  ports:
    - name: http
      port: 80
      targetPort: 8080
    - name: direct
      port: 8080
MANIFEST
kubectl scale deployment/printer --replicas=0
kubectl wait pods -l app=printer --for=delete --timeout=60s
kubectl scale deployment/printer --replicas=2
kubectl rollout status deployment/printer --timeout=60s
