# Only the name is changed; the list of ports is merged by port.
kubectl patch service ${APP} -p '{"spec":{"ports":[{"port":${PORT},"targetPort":"${PORT_NAME}"}]}}'
