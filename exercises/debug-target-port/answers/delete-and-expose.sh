# Made anew from the Deployment.
kubectl delete service ${APP}-api
kubectl expose deployment ${APP}-api --port=${PORT} --target-port=${LISTEN}
