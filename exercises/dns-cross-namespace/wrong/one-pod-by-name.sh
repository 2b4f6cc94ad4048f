# criterion: stock
# diagnosis: call-value-of-address
# The name of one Pod, made of its address.
address=$(kubectl get pods -n dns-cross-namespace-stock -l app=stock -o jsonpath='{.items[0].status.podIP}' | tr . -)
kubectl patch configmap shop-contacts --patch "{\"data\": {\"STOCK_URL\": \"http://$address.dns-cross-namespace-stock.pod:8080/hostname\", \"BILLING_URL\": \"http://billing.dns-cross-namespace-billing:8080/hostname\", \"CATALOG_URL\": \"http://catalog.dns-cross-namespace/hostname\"}}"
