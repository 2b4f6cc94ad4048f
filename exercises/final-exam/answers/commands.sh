# By commands: the broken Service is deleted and made anew, the rest is exposed and patched.
kubectl delete service ${SHOP}-catalog
kubectl create service clusterip ${SHOP}-catalog --tcp=80:${API_PORT} --tcp=${METRICS_PORT}:${METRICS_PORT}
kubectl patch service ${SHOP}-catalog --type=json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"http"},{"op":"replace","path":"/spec/ports/1/name","value":"metrics"}]'
kubectl expose deployment ${SHOP}-cart --port=80 --target-port=http-cart --session-affinity=ClientIP
kubectl patch service ${SHOP}-cart -p '{"spec":{"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":${TIMEOUT}}}}}'
kubectl create service clusterip ${SHOP}-orders --clusterip=None --tcp=8080:8080
kubectl expose deployment ${SHOP}-front --type=LoadBalancer --port=${FRONT_PORT} --target-port=http-web
kubectl patch service ${SHOP}-front -p '{"spec":{"externalTrafficPolicy":"Local"}}'
kubectl create service externalname payments --external-name=payments.${SHOP}.example.com
kubectl create configmap ${SHOP}-config --dry-run=client -o yaml \
  --from-literal=CATALOG_URL=http://${SHOP}-catalog.final-exam:80/ \
  --from-literal=ORDERS_URL=${SHOP}-orders-0.${SHOP}-orders.final-exam.svc:8080 \
  --from-literal=STOCK_URL=http://stock.final-exam-warehouse.svc/ | kubectl apply -f - 2>/dev/null
