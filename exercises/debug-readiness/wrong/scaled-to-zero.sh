# criterion: endpoints
# diagnosis: backend-pods-missing
# Stopped, and never started again.
kubectl scale deployment/${APP}-booking --replicas=0
