# A Service whose selector is made from its name, mended afterwards.
kubectl create service clusterip press-desk --tcp=80:8080
kubectl set selector service press-desk 'app=press,desk=front'
