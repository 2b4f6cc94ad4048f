# criterion: reach-same-namespace
# diagnosis: session-affinity-pins
# One client always reaches the same Pod.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --session-affinity=ClientIP
