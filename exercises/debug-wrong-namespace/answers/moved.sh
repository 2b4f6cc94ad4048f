# Made anew from the Deployment, and the one in the wrong place deleted.
kubectl expose deployment ${APP}-sales --name=${APP} --port=${PORT} --target-port=http-api
kubectl delete service ${APP} -n debug-wrong-namespace-staging
