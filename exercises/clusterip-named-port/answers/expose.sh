# By commands alone: the target port by its name, the selector without the version.
kubectl expose deployment forecast-v1 --name=forecast --port=80 --target-port=web --selector=app=forecast
