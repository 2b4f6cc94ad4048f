# criterion: reach
# diagnosis: service-is-headless
# Without a ClusterIP the records point to Pods and their ports.
kubectl delete service lobby
kubectl apply -f - <<'MANIFEST'
apiVersion: v1
kind: Service
metadata:
  name: lobby
spec:
  clusterIP: None
  selector:
    app: lobby
  ports:
    - name: entry
      port: 80
      targetPort: 8080
    - name: moves
      protocol: UDP
      port: 7777
MANIFEST
