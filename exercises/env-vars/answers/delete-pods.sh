# The Deployment makes new Pods in place of those that are deleted.
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
kubectl delete pods -l app=printer
kubectl rollout status deployment/printer --timeout=60s
