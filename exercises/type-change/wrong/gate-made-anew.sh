# criterion: ground
# diagnosis: ground-remade
# Made anew by a command: the cluster allocates another number.
kubectl delete service ticket-gate sensors
kubectl expose deployment ticket-gate --type=LoadBalancer --port=80 --target-port=8080
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
  name: sensors
spec:
  clusterIP: None
  selector:
    app: water-sensor
  ports:
    - port: 8080
EOF
