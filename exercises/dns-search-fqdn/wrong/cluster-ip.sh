# criterion: tiles
# diagnosis: call-value-is-address
# An address is no name.
address=$(kubectl get service tiles -o jsonpath='{.spec.clusterIP}')
kubectl patch configmap map-names --patch "{\"data\": {\"GATE_TILES\": \"$address\", \"GATE_ROADS\": \"roads.dns-search-fqdn-roads.svc.cluster.local.\"}}"
