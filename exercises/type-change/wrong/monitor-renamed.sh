# criterion: monitor
# diagnosis: service-deleted
# A Service with the same address under a new name.
kubectl delete service tank-monitor sensors
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: tank-monitor-internal
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
  clusterIP: None
  selector:
    app: water-sensor
  ports:
    - port: 8080
EOF
