# By a patch of the three values.
kubectl patch configmap shop-contacts --patch '{"data": {
  "STOCK_URL": "http://stock.dns-cross-namespace-stock/hostname",
  "BILLING_URL": "http://billing.dns-cross-namespace-billing:8080/hostname",
  "CATALOG_URL": "http://catalog.dns-cross-namespace/hostname"}}'
