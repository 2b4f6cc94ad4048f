"""Strategies for manifests around Services: mostly near what is valid, since that is where rules meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]

NAMES = st.sampled_from(["web", "web-1", "a", "w" * 63, "w" * 64, "Web", "we.b", "1web", "-web", "web-", "we_b", ""])
LABEL_VALUES = st.sampled_from(["web", "", "a b", "v" * 64, "-x", "1.0", "日本"])
LABEL_KEYS = st.sampled_from(["app", "example.com/app", "a b", "", "a/b/c", "k" * 64, "Example.COM/App"])
LABELS = st.dictionaries(LABEL_KEYS, LABEL_VALUES, max_size=2)
PORT_NAMES = st.sampled_from(
    ["http", "web", "a", "HTTP", "a--b", "-a", "a-very-long-port-name", "p" * 64, "80", "", "a.b"]
)
NUMBERS = st.sampled_from([80, 81, 8080, 443, 1, 65535, 65536, 0, -1])
TARGETS = st.one_of(NUMBERS, PORT_NAMES)
NODE_PORTS = st.sampled_from([30951, 30952, 30953, 32767, 32768, 29999, 80, 0, -1])
PROTOCOLS = st.sampled_from(["TCP", "UDP", "SCTP", "tcp", "HTTP", ""])
APP_PROTOCOLS = st.sampled_from(["http", "kubernetes.io/h2c", "a b", "", "A" * 64])
ADDRESSES = st.sampled_from(
    ["10.96.200.1", "10.96.200.2", "10.96.0.1", "10.96.0.0", "10.96.255.255", "10.97.0.1", "192.0.2.7", "127.0.0.1",
     "169.254.1.1", "224.0.0.1", "0.0.0.0", "010.0.0.1", "1.2.3", "10.244.1.7", "fd00::1", "::1", "::", "fe80::1",
     "::ffff:10.0.0.1", "None", "", "x"]
)  # fmt: skip
CLUSTER_IPS = st.one_of(st.sampled_from(["", "None"]), ADDRESSES)
RANGES = st.sampled_from(
    ["10.0.0.0/8", " 10.0.0.0/8", "10.0.0.1/8", "10.0.0.0", "0.0.0.0/0", "fd00::/8", "x", "", "1.2.3.4/33"]
)
HOSTS = st.sampled_from(
    [
        "example.com",
        "example.com.",
        "a",
        "A.b",
        "192.0.2.1",
        "a_b.c",
        "http://a.b",
        "",
        "-a.b",
        "a..b",
        "x" * 64 + ".com",
    ]
)
WRONG = st.sampled_from([None, "x", 7, True, [], {}, ["x"], {"a": "b"}, 1.5])
BOOLEANS = st.booleans()


def _some(fields: dict[str, st.SearchStrategy[Any]], **needed: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    return st.fixed_dictionaries(needed, optional=fields)


SERVICE_PORT = _some(
    {
        "name": PORT_NAMES,
        "protocol": PROTOCOLS,
        "targetPort": TARGETS,
        "nodePort": NODE_PORTS,
        "appProtocol": APP_PROTOCOLS,
    },
    port=NUMBERS,
)
NEAR_PORT = _some(
    {"targetPort": st.sampled_from([8080, "http"]), "protocol": st.sampled_from(["TCP", "UDP"])},
    name=st.sampled_from(["http", "web", "dns"]),
    port=st.sampled_from([80, 81, 53]),
)
PORTS = st.one_of(
    st.just([{"port": 80}]),
    st.lists(NEAR_PORT, min_size=1, max_size=3),
    st.lists(SERVICE_PORT, max_size=2),
)
AFFINITY_SECONDS = st.sampled_from([None, 0, 1, 10800, 86400, 86401, -1])
SERVICE_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Nodeport", ""]),
    "ports": PORTS,
    "selector": LABELS,
    "clusterIP": CLUSTER_IPS,
    "clusterIPs": st.lists(CLUSTER_IPS, max_size=3),
    "ipFamilies": st.lists(st.sampled_from(["IPv4", "IPv6", "IPv5", ""]), max_size=3),
    "ipFamilyPolicy": st.sampled_from(["SingleStack", "PreferDualStack", "RequireDualStack", "Dual", ""]),
    "externalIPs": st.lists(ADDRESSES, max_size=2),
    "externalName": HOSTS,
    "sessionAffinity": st.sampled_from(["None", "ClientIP", "Cookie", ""]),
    "sessionAffinityConfig": st.one_of(
        st.just({}),
        st.just({"clientIP": {}}),
        AFFINITY_SECONDS.map(lambda seconds: {"clientIP": {"timeoutSeconds": seconds}}),
    ),
    "externalTrafficPolicy": st.sampled_from(["Cluster", "Local", "local", ""]),
    "internalTrafficPolicy": st.sampled_from(["Cluster", "Local", "Node", ""]),
    "healthCheckNodePort": NODE_PORTS,
    "publishNotReadyAddresses": BOOLEANS,
    "loadBalancerIP": ADDRESSES,
    "loadBalancerClass": st.sampled_from(["example.com/none", "internal", "a b", "", "A/b"]),
    "loadBalancerSourceRanges": st.lists(RANGES, max_size=2),
    "allocateLoadBalancerNodePorts": BOOLEANS,
    "trafficDistribution": st.sampled_from(["PreferClose", "PreferSameZone", "PreferSameNode", "Zone", ""]),
}


VALID_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "selector": st.sampled_from([{"app": "web"}, {}, {"app": "web", "tier": ""}]),
    "clusterIP": st.sampled_from(["", "None", "10.96.200.1"]),
    "clusterIPs": st.sampled_from([[], ["10.96.200.1"], ["None"]]),
    "ipFamilies": st.sampled_from([["IPv4"], []]),
    "ipFamilyPolicy": st.sampled_from(["SingleStack", "PreferDualStack"]),
    "externalIPs": st.sampled_from([["192.0.2.7"], ["192.0.2.7", "fd00::1"], []]),
    "externalName": st.sampled_from(["example.com", "a", "example.com."]),
    "sessionAffinity": st.sampled_from(["None", "ClientIP"]),
    "sessionAffinityConfig": st.sampled_from([{"clientIP": {"timeoutSeconds": 60}}, {"clientIP": {}}]),
    "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
    "internalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
    "healthCheckNodePort": st.sampled_from([30961, 0]),
    "publishNotReadyAddresses": BOOLEANS,
    "loadBalancerIP": st.sampled_from(["192.0.2.9", ""]),
    "loadBalancerSourceRanges": st.sampled_from([["10.0.0.0/8"], [" 10.0.0.0/8", "0.0.0.0/0"], []]),
    "allocateLoadBalancerNodePorts": BOOLEANS,
    "trafficDistribution": st.sampled_from(["PreferClose", "PreferSameZone", "PreferSameNode"]),
}
VALID_PORTS = st.sampled_from(
    [
        [{"port": 80}],
        [{"port": 80, "targetPort": "http", "name": "web"}],
        [{"port": 80, "targetPort": 8080, "appProtocol": "http"}],
        [{"port": 80, "name": "a"}, {"port": 81, "name": "b", "targetPort": 80}],
        [{"port": 53, "name": "a", "protocol": "UDP"}, {"port": 53, "name": "b"}],
        [{"port": 80, "nodePort": 30951}],
        [{"port": 53, "name": "a", "protocol": "UDP", "nodePort": 30952}, {"port": 53, "name": "b", "nodePort": 30952}],
        [],
    ]
)
VALID_TYPES = st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])


@st.composite
def _valid_spec(draw: st.DrawFn) -> Tree:
    """A Service's spec: fields that are valid by themselves, some of which do not go together."""
    names = draw(st.lists(st.sampled_from(sorted(VALID_FIELDS)), max_size=4, unique=True))
    spec: Tree = {"type": draw(VALID_TYPES), "ports": draw(VALID_PORTS)}
    spec.update({name: draw(VALID_FIELDS[name]) for name in names})
    if spec["type"] == "ExternalName":
        spec.setdefault("externalName", "example.com")
    return spec


@st.composite
def _spec(draw: st.DrawFn) -> Tree:
    """A Service's spec: fields that are valid by themselves, some of which do not go together, or any values."""
    if draw(BOOLEANS):
        spec = draw(_valid_spec())
    else:
        names = draw(st.lists(st.sampled_from(sorted(SERVICE_FIELDS)), max_size=3, unique=True))
        spec = {"type": draw(VALID_TYPES), "ports": draw(VALID_PORTS)} if draw(BOOLEANS) else {"ports": draw(PORTS)}
        spec.update({name: draw(SERVICE_FIELDS[name]) for name in names})
    if draw(st.integers(0, 15)) == 0:
        spec[draw(st.sampled_from([*sorted(SERVICE_FIELDS), "selectr"]))] = draw(WRONG)
    if spec.get("type") == "LoadBalancer":
        spec.setdefault("loadBalancerClass", "example.com/none")  # nobody gives it an address
    return spec


METADATA = st.one_of(
    st.just({"name": "web"}),
    st.just({"name": "web"}),
    st.just({"name": "web", "labels": {"app": "web"}}),
    _some({"labels": LABELS, "annotations": LABELS, "generateName": st.just("web-")}, name=NAMES),
)
SERVICES = st.builds(
    lambda metadata, spec: {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec},
    METADATA,
    _spec(),
)

SLICE_LABELS = st.one_of(
    st.just({"kubernetes.io/service-name": "web"}),
    st.fixed_dictionaries({"kubernetes.io/service-name": st.sampled_from(["web", "", "a b", "WEB"])}),
    LABELS,
)
CONDITIONS = _some(
    {name: st.one_of(BOOLEANS, st.none()) for name in ("ready", "serving", "terminating")},
)
HINTS = _some(
    {
        "forZones": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["a", "b", "", "a b"])}), max_size=9),
        "forNodes": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["n1", "", "N 1"])}), max_size=9),
    },
)
ENDPOINT = _some(
    {
        "conditions": CONDITIONS,
        "hostname": st.sampled_from(["a", "web-0", "A", "a.b", "", "h" * 64]),
        "nodeName": st.sampled_from(["node-1", "Node 1", ""]),
        "zone": st.sampled_from(["a", ""]),
        "targetRef": st.sampled_from([{"kind": "Pod", "name": "p", "namespace": "n"}, {"kind": "Pod"}, {}]),
        "hints": HINTS,
        "deprecatedTopology": LABELS,
    },
    addresses=st.one_of(st.just(["192.0.2.7"]), st.lists(st.one_of(ADDRESSES, HOSTS), max_size=3)),
)
SLICE_PORT = _some(
    {"name": PORT_NAMES, "port": st.one_of(NUMBERS, st.none()), "protocol": PROTOCOLS, "appProtocol": APP_PROTOCOLS}
)


VALID_ENDPOINT = _some(
    {
        "conditions": CONDITIONS,
        "hostname": st.just("web-0"),
        "nodeName": st.just("node-1"),
        "zone": st.just("a"),
        "targetRef": st.just({"kind": "Pod", "name": "p", "namespace": "n"}),
        "hints": st.sampled_from([{"forZones": [{"name": "a"}]}, {"forNodes": [{"name": "n1"}]}, {}]),
        "deprecatedTopology": st.just({"topology.kubernetes.io/zone": "a"}),
    },
    addresses=st.sampled_from([["192.0.2.7"], ["192.0.2.7", "192.0.2.8"], ["10.96.200.1"]]),
)
VALID_SLICE_PORT = _some({"port": st.sampled_from([80, 8080]), "appProtocol": st.just("http")}, name=PORT_NAMES)


@st.composite
def _slice(draw: st.DrawFn) -> Tree:
    valid = draw(BOOLEANS)
    made: Tree = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**draw(METADATA), "labels": draw(SLICE_LABELS)},
        "addressType": draw(st.sampled_from(["IPv4"] if valid else ["IPv4", "IPv4", "IPv6", "FQDN", "ipv4", ""])),
        "endpoints": draw(st.lists(VALID_ENDPOINT if valid else ENDPOINT, max_size=3)),
        "ports": draw(st.lists(VALID_SLICE_PORT if valid else SLICE_PORT, max_size=3)),
    }
    if draw(st.integers(0, 15)) == 0:
        made[draw(st.sampled_from(["addressType", "endpoints", "ports", "port"]))] = draw(WRONG)
    return made


SLICES = _slice()


@st.composite
def _valid(draw: st.DrawFn) -> Tree:
    """A Service whose fields are valid by themselves."""
    spec = draw(_valid_spec())
    if spec["type"] == "LoadBalancer":
        spec.setdefault("loadBalancerClass", "example.com/none")
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


CHANGES = st.tuples(_valid(), _valid())
MANIFESTS = st.one_of(SERVICES, SERVICES, SLICES)
