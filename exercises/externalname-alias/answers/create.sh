# By a command alone.
kubectl create service externalname accounts --external-name=ledger.externalname-alias-office.svc.cluster.local
