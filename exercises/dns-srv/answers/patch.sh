# Names first, then the second port: with two ports each of them needs a name.
kubectl patch service lobby --type=json --patch='[{"op": "add", "path": "/spec/ports/0/name", "value": "entry"}]'
kubectl patch service lobby --type=json --patch='[{"op": "add", "path": "/spec/ports/-", "value": {"name": "moves", "protocol": "UDP", "port": 7777}}]'
