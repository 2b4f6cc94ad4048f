# Functions that every step of a script may call.

kubectl() { command kubectl -n "$NS" "$@"; }

in_client() { kubectl exec client -- "$@"; }

# ask POD URL: how a request ends: a status code, or 000 and curl's exit status (7 refused, 28 dropped).
ask() { kubectl exec "$1" -- curl -s -m 2 -o /dev/null -w '%{http_code}\n' "$2"; }

# tries POD URL [COUNT]: who answers that many requests, each once.
tries() { kubectl exec "$1" -- sh -c 'for n in $(seq '"${3:-40}"'); do curl -s -m 2 '"$2"'; echo; done' | sort -u; }

# node worker, node_ip worker: clusters name their nodes differently.
node() { command kubectl get nodes -o name | sed -n "s|^node/\(.*-$1\)\$|\1|p"; }
node_ip() { command kubectl get node "$(node "$1")" -o jsonpath='{.status.addresses[0].address}'; }

# node_port SERVICE: its first one.
node_port() { kubectl get service "$1" -o jsonpath='{.spec.ports[0].nodePort}'; }

# who: reads addresses, with or without a port, and tells whose they are.
who() {
  awk 'NR == FNR { if (!($1 in name)) name[$1] = $2 " " $3; next }
    { sub(/:.*/, "", $1); print ($1 in name) ? name[$1] : "somebody" }' <(
    command kubectl get nodes -o jsonpath='{range .items[*]}{.status.addresses[0].address} node {.metadata.name}{"\n"}{end}'
    command kubectl get nodes -o jsonpath='{range .items[*]}{.spec.podCIDR} gateway {.metadata.name}{"\n"}{end}' |
      sed 's|[.]0/24|.1|'
    kubectl get pods -o jsonpath='{range .items[*]}{.status.podIP} pod {.metadata.name}{"\n"}{end}'
  ) -
}

# client NAME ROLE [true]: a Pod to ask from, on a node, or even in the node's own network.
client() {
  kubectl run "$1" --image=registry.k8s.io/e2e-test-images/agnhost:2.63.0 --overrides="{\"spec\": {
    \"nodeName\": \"$(node "$2")\", \"hostNetwork\": ${3:-false}, \"terminationGracePeriodSeconds\": 0}}" -- pause
}

# evict POD [OPTIONS]: ask for the eviction of a Pod, with DeleteOptions.
evict() {
  printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s"},"deleteOptions":%s}' "$1" "${2:-null}" |
    kubectl create --raw "/api/v1/namespaces/$NS/pods/$1/eviction" -f -
  echo
}

# one LABEL [true|false]: a Pod with that label; only one that is ready, or only one that is not.
one() {
  kubectl get pods -l "$1" -o json |
    jq -r --arg ready "${2:-}" '[.items[] | select(.metadata.deletionTimestamp == null) |
      select($ready == "" or ([.status.containerStatuses[]?.ready] | all | tostring) == $ready)][0].metadata.name'
}
