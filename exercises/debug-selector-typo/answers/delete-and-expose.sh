# Made anew from the Deployment.
kubectl delete service ${SHOP}-search
kubectl expose deployment ${SHOP}-search --port=${PORT} --target-port=${LISTEN}
