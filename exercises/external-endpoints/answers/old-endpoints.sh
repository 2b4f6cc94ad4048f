# The deprecated kind: the control plane mirrors it into slices.
addresses=$(kubectl get pods -n external-endpoints-datacenter -l app=mainframe -o jsonpath='{.items[*].status.podIP}')
kubectl apply -f - <<EOF
apiVersion: v1
kind: Service
metadata:
  name: stock
spec:
  ports:
    - name: http
      port: 80
---
apiVersion: v1
kind: Endpoints
metadata:
  name: stock
subsets:
  - addresses:
$(printf '      - ip: "%s"\n' $addresses)
    ports:
      - name: http
        port: 9090
EOF
