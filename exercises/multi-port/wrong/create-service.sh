# criterion: service
# diagnosis: port-name-differs
# The command chooses the names of the ports itself.
kubectl create service clusterip library --tcp=80:8080 --tcp=443:8443 --tcp=9090:9100
kubectl set selector service library app=library,role=server
