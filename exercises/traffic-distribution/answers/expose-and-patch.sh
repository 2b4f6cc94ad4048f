# Made by a command, which has no option for the distribution, then patched.
kubectl expose deployment thumbnails --port=80 --target-port=8080
kubectl patch service thumbnails -p '{"spec": {"trafficDistribution": "PreferSameNode"}}'
