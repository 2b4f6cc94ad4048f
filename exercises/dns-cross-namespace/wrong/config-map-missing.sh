# criterion: stock
# diagnosis: call-value-missing
# Deleted, and made again under another name.
kubectl delete configmap shop-contacts
kubectl create configmap contacts --from-literal=STOCK_URL=http://stock.dns-cross-namespace-stock/hostname --from-literal=BILLING_URL=http://billing.dns-cross-namespace-billing:8080/hostname --from-literal=CATALOG_URL=http://catalog.dns-cross-namespace/hostname
