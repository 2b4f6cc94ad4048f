# criterion: ground
# diagnosis: ground-gone
# The museum's Service deleted, and its number taken.
kubectl delete service entrance -n nodeport-collision-museum
kubectl create service nodeport aquarium --tcp=80:8080 --node-port=30044
