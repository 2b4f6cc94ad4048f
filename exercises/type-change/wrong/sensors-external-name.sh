# criterion: sensors-endpoints
# diagnosis: service-is-external-name
# The other type without a ClusterIP.
kubectl delete service sensors
kubectl create service externalname sensors --external-name=water-sensor.type-change.svc.cluster.local
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
