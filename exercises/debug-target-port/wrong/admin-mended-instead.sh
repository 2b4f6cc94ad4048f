# criterion: ground
# diagnosis: ground-changed
# The Service that works is changed; the broken one is as it was.
kubectl patch service ${APP}-admin -p '{"spec":{"ports":[{"port":${PORT},"targetPort":${LISTEN}}]}}'
