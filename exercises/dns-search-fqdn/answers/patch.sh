# By a patch of the two values that have to change.
kubectl patch configmap map-names --patch '{"data": {
  "GATE_TILES": "tiles.dns-search-fqdn.svc.cluster.local.",
  "GATE_ROADS": "roads.dns-search-fqdn-roads.svc.cluster.local."}}'
