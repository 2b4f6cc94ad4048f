# criterion: gate
# diagnosis: object-differs
# What stood in the manifest and no longer does is taken away: only what the cluster allocated is kept.
kubectl delete service sensors
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: tank-monitor
spec:
  type: ClusterIP
  selector:
    app: tank-monitor
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: ticket-gate
spec:
  type: LoadBalancer
  ports:
    - port: 80
      targetPort: 8080
      nodePort: 30083
---
apiVersion: v1
kind: Service
metadata:
  name: sensors
spec:
  clusterIP: None
  selector:
    app: water-sensor
  ports:
    - port: 8080
EOF
