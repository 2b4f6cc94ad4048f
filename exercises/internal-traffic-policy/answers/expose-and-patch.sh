# Made by a command, which has no option for the policy, then patched.
kubectl expose deployment node-agent --port=80 --target-port=8080
kubectl patch service node-agent -p '{"spec": {"internalTrafficPolicy": "Local"}}'
