# By a command alone.
kubectl create service externalname payment --external-name=api.pay.example
