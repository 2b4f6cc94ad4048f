# Made from the Deployment.
kubectl expose deployment ${APP}-sales --name=${APP} --port=${PORT} --target-port=${LISTEN}
