"""Which questions an expectation asks of a cluster, given the objects that were observed. Pure.

Observe asks them and judge looks their answers up, so both see the same addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grader.model.evidence import DnsQuestion, RawObject, ReachQuestion
from grader.model.exercise import At, ConfigKey, Dns, Expectation, Reach, Readiness, Vantage
from grader.model.kubernetes import (
    actual_slices,
    addresses_of,
    hostname_of,
    ingress_address,
    internal_ip,
    is_finished,
    is_ready,
    is_terminating,
    labels_of,
    name_of,
    selects,
    service_port,
)

CLUSTER_DOMAIN = "cluster.local"
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
PROBE_POD = "grader-probe"
PROBE_NAMESPACE = "course-probe"
EXERCISE_LABEL = "services-course.example/exercise"  # of a Namespace that an exercise owns
SOME_TRIES = 6
NAME_TRIES = 13  # of a name that may stand for several addresses; one of 2 answers alone once in 4,096 runs
MOST_DIRECT = 16

Objects = Mapping[str, Sequence[RawObject]]


def find_service(objects: Objects, name: str, namespace: str = "") -> RawObject | None:
    """Find a Service of the exercise's namespace, or of a further one."""
    resource = f"services@{namespace}" if namespace else "services"
    return next((item for item in objects.get(resource, ()) if name_of(item) == name), None)


def backends(objects: Objects, labels: Mapping[str, str], namespace: str = "") -> tuple[RawObject, ...]:
    """Choose the living Pods with these labels, of the exercise's namespace or of a further one."""
    return living(objects.get(f"pods@{namespace}" if namespace else "pods", ()), labels)


def serving(pods: Iterable[RawObject], readiness: Readiness) -> tuple[RawObject, ...]:
    """Choose the Pods that traffic must reach."""
    return tuple(pod for pod in pods if readiness is Readiness.PUBLISHED or is_ready(pod))


def config_value(objects: Objects, key: ConfigKey) -> str:
    """Read what the learner wrote into a ConfigMap, "" where it is not there."""
    found = next((item for item in objects.get("configmaps", ()) if name_of(item) == key.config_map), {})
    return str((found.get("data") or {}).get(key.key) or "").strip()


def living(pods: Iterable[RawObject], labels: Mapping[str, str]) -> tuple[RawObject, ...]:
    """Choose the Pods with these labels that are neither finished nor terminating, by name."""
    chosen = [
        pod for pod in pods if selects(labels, labels_of(pod)) and not is_finished(pod) and not is_terminating(pod)
    ]
    return tuple(sorted(chosen, key=name_of))


def home_of(vantage: str, namespace: str) -> str:
    """Tell the Namespace whose search list a vantage resolves by; `namespace` is the exercise's own."""
    return PROBE_NAMESPACE if vantage == Vantage.OTHER_NAMESPACE else namespace


def full_name(name: str, namespace: str) -> str:
    """Expand a name to what the search list must make of it first, with a trailing dot (resolv.conf of a Pod)."""
    if name.endswith("."):
        return name
    parts = name.split(".")
    if len(parts) == 1:
        parts.append(namespace)
    if len(parts) == 2:
        parts.append("svc")
    if parts[-1] == "svc":
        parts.append(CLUSTER_DOMAIN)
    return ".".join(parts) + "."


def leaves_cluster(name: str) -> bool:
    """Tell whether a name with a trailing dot lies outside of the cluster's domain: another server's to answer."""
    return name.endswith(".") and not f".{name}".lower().endswith(f".{CLUSTER_DOMAIN}.")


def other_namespace_node(nodes: Sequence[RawObject]) -> str:
    """Choose the node whose probe speaks for another namespace: the first worker."""
    workers = [name_of(node) for node in nodes if CONTROL_PLANE_LABEL not in labels_of(node)]
    return min(workers or [name_of(node) for node in nodes], default="")


def vantage_node(vantage: str, objects: Objects) -> str:
    """Tell on which node a vantage's client runs, "" for one outside the cluster."""
    if vantage.startswith("node/"):
        return vantage.removeprefix("node/")
    if vantage == Vantage.OTHER_NAMESPACE:
        return other_namespace_node(objects.get("nodes", ()))
    if vantage == Vantage.SAME_NAMESPACE:
        probes = [pod for pod in objects.get("pods", ()) if name_of(pod) == PROBE_POD]
        return str(probes[0].get("spec", {}).get("nodeName", "")) if probes else ""
    return ""


def dns_question(expect: Dns, objects: Objects) -> DnsQuestion:
    """Build the question of a DNS expectation; its name is "" where the learner has not written it yet."""
    name = config_value(objects, expect.name) if isinstance(expect.name, ConfigKey) else expect.name
    if expect.absolute and name and not name.endswith("."):
        name += "."
    return DnsQuestion(expect.source.value, name, expect.type)


def reach_questions(
    expect: Reach, objects: Objects, namespace: str, host_ports: Mapping[int, str]
) -> tuple[ReachQuestion, ...]:
    """Build one question a vantage and address; none where the objects give no address yet."""
    service = find_service(objects, expect.service)
    port = service_port(service, expect.port) if service else None
    if service is None or port is None:
        return ()
    pods = serving(backends(objects, expect.answered_by, expect.pods_in), expect.readiness)
    want = tuple(hostname_of(pod) for pod in pods) if expect.all_of_them else ()
    bound = len(pods) ** 2 + 30 if expect.all_of_them else SOME_TRIES
    least = NAME_TRIES if expect.at is At.NAME and service["spec"].get("clusterIP") == "None" else 1
    found = [
        ReachQuestion(vantage, host, number, want, max(bound, least), least=least)
        for source in expect.sources
        for vantage, host, number in addresses(expect.at, source, service, port, objects, namespace, host_ports)
    ]
    return tuple(found)


def addresses(
    at: At,
    source: Vantage,
    service: RawObject,
    port: RawObject,
    objects: Objects,
    namespace: str,
    host_ports: Mapping[int, str],
) -> list[tuple[str, str, int]]:
    """List (vantage, host, port number) of one way to a Service port."""
    number = int(port["port"])
    if at is At.NAME:
        name = name_of(service)
        return [(source.value, name if source is Vantage.SAME_NAMESPACE else f"{name}.{namespace}", number)]
    if at is At.CLUSTER_IP:
        address = service.get("spec", {}).get("clusterIP", "")
        return [(source.value, address, number)] if address not in ("", "None") else []
    if at is At.LOAD_BALANCER:
        address = ingress_address(service)
        return [(source.value, address, number)] if address else []
    node_port = port.get("nodePort")
    if not node_port:
        return []
    if source is Vantage.LEARNER_HOST:
        host, _, mapped = host_ports.get(node_port, "").rpartition(":")
        return [(source.value, host, int(mapped))] if host else []
    nodes = sorted(objects.get("nodes", ()), key=name_of)
    found = []
    for index, node in enumerate(nodes):
        vantage = source.value
        if source is Vantage.OTHER_NODE:
            # kube-proxy treats a Pod on the node itself as Cluster, whatever the policy (pkg/proxy/iptables/proxier.go)
            vantage = f"node/{name_of(nodes[(index + 1) % len(nodes)])}"
        if internal_ip(node):
            found.append((vantage, internal_ip(node), int(node_port)))
    return found


def direct_questions(expectations: Iterable[Expectation], objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build questions to the endpoints themselves, past the Service: they tell a wrong port from a slow data plane."""
    found: dict[tuple[str, int], ReachQuestion] = {}
    for expect in expectations:
        if not expect.service:
            continue
        service = find_service(objects, expect.service)
        if service is None:
            continue
        for endpoint in sorted(actual_slices(service, objects.get("endpointslices", ()))):
            if endpoint.port is not None and endpoint.ready and endpoint.protocol == "TCP":
                key = (endpoint.address, endpoint.port)
                found[key] = ReachQuestion(Vantage.SAME_NAMESPACE.value, *key)
    return tuple(found.values())[:MOST_DIRECT]


def control_questions(expect: Reach, objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build the positive control of a negated reach: a ready Pod, directly, from each in-cluster vantage."""
    pods = [pod for pod in living(objects.get("pods", ()), expect.answered_by) if is_ready(pod) and addresses_of(pod)]
    ports = [
        int(port["containerPort"])
        for pod in pods[:1]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    ]
    if not ports:
        return ()
    vantages: dict[str, None] = {}
    for source in expect.sources:
        if source is Vantage.OTHER_NODE:
            vantages.update(dict.fromkeys(f"node/{name_of(node)}" for node in objects.get("nodes", ())))
        elif source in (Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE):
            vantages[source.value] = None
    return tuple(ReachQuestion(vantage, addresses_of(pods[0])[0], ports[0]) for vantage in vantages)
