# criterion: catalog
# diagnosis: call-value-missing
# The key is gone.
kubectl patch configmap shop-contacts --patch '{"data": {"STOCK_URL": "http://stock.dns-cross-namespace-stock/hostname", "BILLING_URL": "http://billing.dns-cross-namespace-billing:8080/hostname", "CATALOG_URL": null}}'
