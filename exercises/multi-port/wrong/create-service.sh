# criterion: service
# diagnosis: port-name-differs
# The command chooses the names of the ports itself.
kubectl create service clusterip catalog --tcp=80:8080 --tcp=443:8443 --tcp=9090:9100
kubectl set selector service catalog app=catalog,role=server
