# criterion: service
# diagnosis: service-type-differs
# Closed to the outside to get rid of its policy.
kubectl patch service ${SERVICE} --type=merge -p '{"spec": {"type": "ClusterIP", "externalTrafficPolicy": null, "internalTrafficPolicy": "Cluster", "trafficDistribution": "PreferSameNode"}}'
