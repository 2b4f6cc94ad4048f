# criterion: ground
# diagnosis: ground-remade
# Address and number are as before, but both were away for a while, though in use.
kubectl delete service tank-monitor ticket-gate sensors
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: tank-monitor
spec:
  type: ClusterIP
  clusterIP: 10.96.0.141
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
  type: ClusterIP
  clusterIP: None
  selector:
    app: water-sensor
  ports:
    - port: 8080
EOF
