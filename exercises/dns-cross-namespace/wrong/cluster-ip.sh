# criterion: stock
# diagnosis: call-value-is-address
# The address of today in place of the name.
address=$(kubectl get service stock -n dns-cross-namespace-stock -o jsonpath='{.spec.clusterIP}')
kubectl patch configmap shop-contacts --patch "{\"data\": {\"STOCK_URL\": \"http://$address/hostname\", \"BILLING_URL\": \"http://billing.dns-cross-namespace-billing:8080/hostname\", \"CATALOG_URL\": \"http://catalog.dns-cross-namespace/hostname\"}}"
