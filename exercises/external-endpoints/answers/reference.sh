# The addresses are those of today; a manifest cannot know them.
kubectl wait pods -n external-endpoints-datacenter -l app=mainframe --for=condition=Ready --timeout=120s
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
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: stock-1
  labels:
    kubernetes.io/service-name: stock
    endpointslice.kubernetes.io/managed-by: staff
addressType: IPv4
ports:
  - name: http
    port: 9090
    protocol: TCP
endpoints:
$(printf '  - addresses: ["%s"]\n' $addresses)
EOF
