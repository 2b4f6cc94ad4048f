"""Quick look-ups over the Store, kept up to date with each change.

Whoever asks "which Pods match", "who has this address", "which slices belong to this Service" asks here, so that the
work grows with the answer and not with the cluster. It is what informers and their indexers are to real controllers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grader.embedded.core.objects import Key, key_of, label_selector_matches, labels_of, matches, pod_ip, uid_of
from grader.embedded.core.store import Change, Obj, Store

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SERVICE_RANGE = "10.96.0.0/16"
ZONE_LABEL = "topology.kubernetes.io/zone"
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"

OwnedKey = tuple[str, str, str]
"""Resource, namespace and name of an object that has an owner."""


class Index:
    """Look-ups by address, owner, node and label.

    Attributes:
        store: where the objects are.

    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pods_by_label: defaultdict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
        self._pods_by_namespace: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._pods_by_node: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._pods_by_ip: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._policies_by_namespace: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._services_by_namespace: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._services_by_address: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._services_by_node_port: defaultdict[int, dict[Key, None]] = defaultdict(dict)
        self._slices_by_service: defaultdict[Key, dict[str, None]] = defaultdict(dict)
        self._slices_by_ip: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._slices_of_proxies: defaultdict[Key, dict[str, Obj]] = defaultdict(dict)
        self._owned: defaultdict[str, dict[OwnedKey, None]] = defaultdict(dict)
        self._by_uid: dict[str, OwnedKey] = {}
        self._contents: defaultdict[str, dict[OwnedKey, None]] = defaultdict(dict)
        for resource in store.resources():
            for obj in store.list(resource):
                self._add(resource, obj)
                self._tell_proxies(resource, obj, gone=False)
        store.subscribe(self._on_change)

    def pod(self, key: Key) -> Obj | None:
        """A Pod by namespace and name."""
        return self.store.get("pods", *key)

    def service(self, key: Key) -> Obj | None:
        """A Service by namespace and name."""
        return self.store.get("services", *key)

    def pods(self, namespace: str) -> Iterator[Obj]:
        """All Pods of a namespace."""
        return self._get("pods", ((namespace, name) for name in list(self._pods_by_namespace[namespace])))

    def pods_matching(self, namespace: str, selector: Mapping[str, str]) -> list[Obj]:
        """The Pods of a namespace that a Service's selector matches, ordered by name."""
        return [pod for pod in self._candidates(namespace, selector) if matches(selector, labels_of(pod))]

    def pods_selected(self, namespace: str, selector: Mapping[str, object] | None) -> list[Obj]:
        """The Pods of a namespace that a metav1.LabelSelector matches, ordered by name."""
        exact = (selector or {}).get("matchLabels") or {}
        assert isinstance(exact, dict)
        return [pod for pod in self._candidates(namespace, exact) if label_selector_matches(selector, labels_of(pod))]

    def pods_on(self, node: str) -> Iterator[Obj]:
        """The Pods bound to a node."""
        return self._get("pods", list(self._pods_by_node[node]))

    def pod_at(self, ip: str) -> Obj | None:
        """The Pod that has an address of its own: the one that runs, where several are told to have it."""
        found = list(self._get("pods", list(self._pods_by_ip.get(ip, ()))))
        running = [pod for pod in found if pod["status"].get("phase") == "Running"]
        return next(iter(running or found), None)

    def policies(self, namespace: str) -> Iterator[Obj]:
        """All NetworkPolicies of a namespace."""
        names = list(self._policies_by_namespace.get(namespace, ()))
        return self._get("networkpolicies", ((namespace, name) for name in names))

    @property
    def has_policies(self) -> bool:
        """Whether there is any NetworkPolicy."""
        return bool(self._policies_by_namespace)

    def services(self, namespace: str) -> Iterator[Obj]:
        """All Services of a namespace."""
        return self._get("services", ((namespace, name) for name in list(self._services_by_namespace[namespace])))

    def services_of_pod(self, pod: Obj) -> list[Key]:
        """The Services whose selector matches the Pod; one without a selector matches nothing."""
        namespace, labels = pod["metadata"]["namespace"], labels_of(pod)
        return [
            key_of(service)
            for service in self.services(namespace)
            if service["spec"].get("selector") and matches(service["spec"]["selector"], labels)
        ]

    def services_at(self, ip: str) -> Iterator[Obj]:
        """The Services that have an address as ClusterIP, external IP or load balancer ingress."""
        return self._get("services", list(self._services_by_address.get(ip, ())))

    def services_at_node_port(self, port: int) -> Iterator[Obj]:
        """The Services that own a node port (also as healthCheckNodePort); TCP and UDP may be two Services."""
        return self._get("services", list(self._services_by_node_port.get(port, ())))

    def slices(self, service: Key) -> Iterator[Obj]:
        """All EndpointSlices labelled with the Service's name, whoever manages them."""
        namespace = service[0]
        return self._get("endpointslices", ((namespace, name) for name in sorted(self._slices_by_service[service])))

    def slices_of_proxies(self, service: Key) -> list[Obj]:
        """The EndpointSlices that kube-proxy knows of a Service: those of `slices`, and those that lost its label.

        kube-proxy files a slice under the Service that its label names, and ignores every change of a slice without
        one: what it knew stays (pkg/proxy/endpointschangetracker.go EndpointSliceUpdate; seen on kind).
        """
        return [obj for _, obj in sorted(self._slices_of_proxies.get(service, {}).items())]

    def slices_with_ip(self, ip: str) -> Iterator[Obj]:
        """All EndpointSlices that hold an address."""
        return self._get("endpointslices", list(self._slices_by_ip.get(ip, ())))

    def zone(self, node: str) -> str:
        """The zone of a node, "" where it is in none or does not exist."""
        found = self.store.get("nodes", "", node)
        return labels_of(found).get(ZONE_LABEL, "") if found else ""

    def takes_load_balancers(self, node: str) -> bool:
        """Whether a load balancer may lead to a node: it is there, and not labelled as one that does not want that."""
        found = self.store.get("nodes", "", node)
        return found is not None and EXCLUDE_LABEL not in labels_of(found)

    def owned_by(self, uid: str) -> list[OwnedKey]:
        """What names this UID among its owners."""
        return list(self._owned.get(uid, ()))

    def exists(self, uid: str) -> bool:
        """Whether an object with this UID is stored."""
        return uid in self._by_uid

    def by_uid(self, uid: str) -> OwnedKey | None:
        """Which object has this UID, None where none is stored."""
        return self._by_uid.get(uid)

    def contents(self, namespace: str) -> list[OwnedKey]:
        """Everything stored in a namespace."""
        return list(self._contents.get(namespace, ()))

    def has_namespace(self, name: str) -> bool:
        """Whether the namespace exists."""
        return self.store.get("namespaces", "", name) is not None

    def namespace_labels(self, name: str) -> dict[str, str]:
        """The labels of a namespace."""
        found = self.store.get("namespaces", "", name)
        return labels_of(found) if found else {}

    def _get(self, resource: str, keys: Iterable[Key]) -> Iterator[Obj]:
        for key in keys:
            obj = self.store.get(resource, *key)
            if obj is not None:
                yield obj

    def _candidates(self, namespace: str, selector: Mapping[str, str]) -> Iterator[Obj]:
        sets = [self._pods_by_label[(namespace, key, value)] for key, value in selector.items()]
        names = min(sets, key=len) if sets else self._pods_by_namespace[namespace]
        return self._get("pods", ((namespace, name) for name in sorted(names)))

    def _on_change(self, change: Change) -> None:
        if change.old is not None:
            self._remove(change.resource, change.old)
        if change.type != "DELETED":
            self._add(change.resource, change.obj)
        self._tell_proxies(change.resource, change.obj, gone=change.type == "DELETED")

    def _tell_proxies(self, resource: str, obj: Obj, *, gone: bool) -> None:
        service = labels_of(obj).get(SERVICE_NAME_LABEL) if resource == "endpointslices" else None
        if not service:
            return
        namespace, name = key_of(obj)
        if gone:
            _discard(self._slices_of_proxies, (namespace, service), name)
        else:
            self._slices_of_proxies[(namespace, service)][name] = obj

    def _add(self, resource: str, obj: Obj) -> None:
        key = key_of(obj)
        owned_key = (resource, *key)
        self._by_uid[uid_of(obj)] = owned_key
        if key[0]:
            self._contents[key[0]][owned_key] = None
        for reference in obj["metadata"].get("ownerReferences") or ():
            self._owned[reference["uid"]][owned_key] = None
        for table, entry, value in self._entries(resource, obj):
            table[entry][value] = None

    def _remove(self, resource: str, obj: Obj) -> None:
        key = key_of(obj)
        owned_key = (resource, *key)
        self._by_uid.pop(uid_of(obj), None)
        _discard(self._contents, key[0], owned_key)
        for reference in obj["metadata"].get("ownerReferences") or ():
            _discard(self._owned, reference["uid"], owned_key)
        for table, entry, value in self._entries(resource, obj):
            _discard(table, entry, value)

    def _entries(self, resource: str, obj: Obj) -> Iterator[tuple[defaultdict[Any, dict[Any, None]], Any, Any]]:
        """Each table that holds the object, under which entry, as which value."""
        namespace, name = key = key_of(obj)
        if resource == "pods":
            yield self._pods_by_namespace, namespace, name
            for label in labels_of(obj).items():
                yield self._pods_by_label, (namespace, *label), name
            if node := obj["spec"].get("nodeName"):
                yield self._pods_by_node, node, key
            if (ip := pod_ip(obj)) and not obj["spec"].get("hostNetwork"):
                yield self._pods_by_ip, ip, key
        elif resource == "networkpolicies":
            yield self._policies_by_namespace, namespace, name
        elif resource == "services":
            yield self._services_by_namespace, namespace, name
            for address in service_addresses(obj):
                yield self._services_by_address, address, key
            for port in service_node_ports(obj):
                yield self._services_by_node_port, port, key
        elif resource == "endpointslices":
            if service := labels_of(obj).get(SERVICE_NAME_LABEL):
                yield self._slices_by_service, (namespace, service), name
            for endpoint in obj.get("endpoints") or ():
                for address in endpoint.get("addresses") or ():
                    yield self._slices_by_ip, address, key


def _discard(table: defaultdict[Any, dict[Any, Any]], entry: Any, value: Any) -> None:
    held = table.get(entry)
    if held is not None:
        held.pop(value, None)
        if not held:
            del table[entry]


def cluster_ips(service: Obj) -> list[str]:
    """The Service's cluster addresses; none for a headless Service or an ExternalName."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return []
    ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [ip for ip in ips if ip and ip != "None"]


def ingress_ips(service: Obj) -> list[str]:
    """The addresses of the Service's load balancer that the proxy serves (ipMode VIP or unset)."""
    if service["spec"].get("type") != "LoadBalancer":
        return []
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [item["ip"] for item in ingress if item.get("ip") and item.get("ipMode", "VIP") == "VIP"]


def service_addresses(service: Obj) -> list[str]:
    """Every address at which the proxy serves the Service, node addresses apart."""
    return list(
        dict.fromkeys([*cluster_ips(service), *(service["spec"].get("externalIPs") or ()), *ingress_ips(service)])
    )


def service_node_ports(service: Obj) -> list[int]:
    """The node ports of the Service, healthCheckNodePort included."""
    spec = service["spec"]
    ports = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    if spec.get("healthCheckNodePort"):
        ports.append(spec["healthCheckNodePort"])
    return ports
