# criterion: sensors-endpoints
# diagnosis: selector-matches-no-pod
# The command makes the selector from the Service's name.
kubectl delete service sensors
kubectl create service clusterip sensors --clusterip=None --tcp=8080
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
  selector:
    app: ticket-gate
  ports:
    - port: 80
      targetPort: 8080
      nodePort: 30083
EOF
