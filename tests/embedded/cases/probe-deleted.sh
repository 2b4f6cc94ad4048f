# The advice of the message helps: a check makes the observation Pods again that somebody has deleted.
grader cluster up --embedded; eval "$(grader env)"; grader start clusterip; kubectl apply -n clusterip -f right-answer.yaml
kubectl delete pod -n course-probe --all --now
grader check clusterip   # right: passes
