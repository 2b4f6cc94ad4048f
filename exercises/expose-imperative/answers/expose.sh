# What the task is about: one command.
kubectl expose deployment press-front --name=press-desk --port=80 --target-port=8080
