# A slice for each server, with names of their own.
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
      targetPort: 9090
EOF
for address in $addresses; do
kubectl apply -f - <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: server-${address//./-}
  labels:
    kubernetes.io/service-name: stock
addressType: IPv4
ports:
  - name: http
    port: 9090
    protocol: TCP
endpoints:
  - addresses: ["$address"]
    conditions:
      ready: true
EOF
done
