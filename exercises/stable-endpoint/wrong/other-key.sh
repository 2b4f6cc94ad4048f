# criterion: call
# diagnosis: call-value-missing
# The value under a key that nobody reads.
kubectl expose deployment kitchen --port=80 --target-port=8080
kubectl patch configmap waiter-config --type=json -p '[{"op":"remove","path":"/data/KITCHEN_URL"},{"op":"add","path":"/data/URL","value":"http://kitchen/"}]'
