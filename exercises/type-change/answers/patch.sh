# The types alone, by patches: what is not spoken of is kept, and a node port that no type needs any more is taken back.
kubectl patch service tank-monitor -p '{"spec":{"type":"ClusterIP"}}'
kubectl patch service ticket-gate -p '{"spec":{"type":"LoadBalancer"}}'
kubectl replace --force -f - <<'EOF'
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
