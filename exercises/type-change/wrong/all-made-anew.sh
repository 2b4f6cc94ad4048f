# criterion: ground
# diagnosis: ground-remade
# What need not be made anew is, and loses the ClusterIP that nobody wrote down.
kubectl replace --force -f - <<'EOF'
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
  selector:
    app: ticket-gate
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
