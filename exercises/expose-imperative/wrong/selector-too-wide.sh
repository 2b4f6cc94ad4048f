# criterion: endpoints
# diagnosis: selector-too-wide
# A selector of one's own, which the archive's Pods match too.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080 --selector=app=press
