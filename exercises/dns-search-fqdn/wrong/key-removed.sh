# criterion: journal-here
# diagnosis: call-value-missing
# A value that nobody seems to need.
kubectl patch configmap map-names --patch '{"data": {"GATE_TILES": "tiles.dns-search-fqdn.svc.cluster.local.", "GATE_ROADS": "roads.dns-search-fqdn-roads.svc.cluster.local.", "APP_JOURNAL": null}}'
