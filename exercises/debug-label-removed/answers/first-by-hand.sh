# First aid by hand, then the template.
kubectl label pods -l app=${APP},track=main traffic=${FLAG}
kubectl patch deployment ${APP}-main --type=json -p '[{"op":"add","path":"/spec/template/metadata/labels/traffic","value":"${FLAG}"}]'
