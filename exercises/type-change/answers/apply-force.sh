# --force deletes and creates what the API server refuses to change, and only that. A node port that is written as it was
# is taken back all the same.
kubectl apply --force -f - <<'EOF'
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
      nodePort: 30084
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
