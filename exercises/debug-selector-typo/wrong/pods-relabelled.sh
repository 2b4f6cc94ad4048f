# criterion: ground
# diagnosis: ground-changed
# The Pods are given the misspelt label: they leave their Deployment, which makes new ones.
kubectl label pods -l app=${SHOP}-search app=${SHOP}-serach --overwrite
