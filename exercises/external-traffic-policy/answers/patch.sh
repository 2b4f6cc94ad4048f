# The Service in the cluster patched.
kubectl patch service signup -p '{"spec": {"externalTrafficPolicy": "Local"}}'
