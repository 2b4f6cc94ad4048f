# Only the number is changed; the list of ports is merged by port.
kubectl patch service ${APP}-api -p '{"spec":{"ports":[{"port":${PORT},"targetPort":${LISTEN}}]}}'
