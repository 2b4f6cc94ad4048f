# The Service in the cluster patched; the other policy is left alone.
kubectl patch service ${SERVICE} -p '{"spec": {"internalTrafficPolicy": "Cluster", "trafficDistribution": "PreferSameNode"}}'
