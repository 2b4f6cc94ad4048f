# create makes the Service with a selector of its own, which is then put right; the port's name comes by a patch.
kubectl create service clusterip ledger-nodes --clusterip=None --tcp=7000
kubectl set selector service ledger-nodes app=ledger
kubectl patch service ledger-nodes --type=json --patch='[{"op": "replace", "path": "/spec/ports/0/name", "value": "sync"}]'
