# Only the label is added.
kubectl patch deployment ${APP}-main -p '{"spec":{"template":{"metadata":{"labels":{"traffic":"${FLAG}"}}}}}'
