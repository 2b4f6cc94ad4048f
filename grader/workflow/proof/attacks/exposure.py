"""What was not to be opened is opened: from outside the cluster, or by one more port; what was not to be written is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grader.criteria.env import Env
from grader.criteria.object import Object
from grader.kube.client import Object as Live
from grader.model.kubernetes import selects
from grader.workflow.proof.attacks.endpoints import endpoint_of, hand_made, slice_ports
from grader.workflow.proof.attacks.hands import Act, Hands, creating, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.pods import twin
from grader.workflow.proof.attacks.site import Site, Thing

OUTSIDE = "203.0.113.80"
NOT_TO_BE_SEEN = re.compile("外に公開してはいけない|外から見えてはいけない")
NUMBER_OF_PORTS = re.compile("ポートは([0-9]+)つ")


def service(name: str, type_: str, selector: Mapping[str, str], ports: list[Live]) -> Live:
    """Make a Service."""
    spec = {"type": type_, "selector": dict(selector), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _ports(inner: Thing) -> list[Live]:
    kept = ("name", "port", "targetPort", "protocol")
    return [{key: port[key] for key in kept if key in port} for port in inner.spec["ports"]]


def _external_ips(site: Site) -> Iterator[Blow]:
    for inner in site.inner:
        if inner.has_cluster_ip:
            act = editing(inner, put(("spec", "externalIPs"), [OUTSIDE]))
            yield Blow(inner.title, (inner.name, "externalIPs"), act)


def _beside(site: Site, type_: str) -> Iterator[Blow]:
    for inner in site.hidden:
        name = f"{inner.name}-door"
        yield Blow(inner.title, (name,), creating(service(name, type_, inner.selector, _ports(inner))))


def _node_port(site: Site) -> Iterator[Blow]:
    return _beside(site, "NodePort")


def _load_balancer(site: Site) -> Iterator[Blow]:
    return _beside(site, "LoadBalancer")


def _addressed(site: Site) -> Iterator[Blow]:
    for inner in site.hidden:
        name = f"{inner.name}-door"
        obj = service(name, "ClusterIP", inner.selector, _ports(inner))
        obj["spec"]["externalIPs"] = [OUTSIDE]
        yield Blow(inner.title, (name,), creating(obj))


def _ingress(site: Site) -> Iterator[Blow]:
    for inner in site.inner:
        if inner.has_cluster_ip:
            name = f"{inner.name}-door"
            backend = {"service": {"name": inner.name, "port": {"number": inner.spec["ports"][0]["port"]}}}
            obj = {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"name": name},
                "spec": {"defaultBackend": backend},
            }
            yield Blow(inner.title, (name,), creating(obj))


def _host_port(site: Site) -> Iterator[Blow]:
    """One more Pod of the workload, at a port of its node."""
    for inner in site.hidden:
        backing = site.backing(inner)
        if not backing or backing[0].kind == "StatefulSet":
            continue
        pod = twin(backing[0], f"{inner.name}-door")
        port = dict((pod["spec"]["containers"][0].get("ports") or [{"containerPort": 8080}])[0])
        pod["spec"]["containers"][0]["ports"] = [{**port, "hostPort": 31080}]
        yield Blow(inner.title, (f"{inner.name}-door",), creating(pod))


def _from_elsewhere(site: Site) -> Iterator[Blow]:
    """A Service of another Namespace over hand-made slices that hold the exercise's Pods."""
    for inner in site.hidden:
        yield Blow(inner.title, (f"{site.exercise.id}-door",), _opening_elsewhere(inner, f"{site.exercise.id}-door"))


def _opening_elsewhere(inner: Thing, name: str) -> Act:
    def act(hands: Hands) -> None:
        pod = hands.pods(inner.selector)[0]
        ports = slice_ports(inner, pod)
        opened = service(name, "NodePort", {}, _ports(inner))
        del opened["spec"]["selector"]
        hands.create(opened, "default")
        hands.create(hand_made(name, name, [endpoint_of(pod)], ports), "default")

    return act


def _hidden(site: Site) -> Iterator[Blow]:
    """Open what a line of the task says that nobody outside may see."""
    lines = [line for line in site.exercise.task.splitlines() if NOT_TO_BE_SEEN.search(line)]
    for thing in site.workloads():
        if any(f"`{thing.name}`" in line for line in lines):
            name = f"{thing.name}-door"
            obj = service(name, "NodePort", thing.pod_labels, [{"port": 80, "targetPort": 8080}])
            yield Blow(thing.title, (name,), creating(obj))


def _further_port(site: Site) -> Iterator[Blow]:
    said = NUMBER_OF_PORTS.search(site.exercise.task)
    number = int(said[1]) if said else 0
    for item in site.exercise.criteria:
        if not isinstance(item.expect, Object) or item.expect.kind != "Service":
            continue
        ports = item.expect.matches.get("spec", {}).get("ports") or ()
        if number and len(ports) == number:
            yield Blow(f"Service/{item.expect.name}", (item.expect.name, "8099"), _opening_a_port(item.expect.name))
            return


def _opening_a_port(name: str) -> Act:
    def change(obj: Live) -> None:
        obj["spec"]["ports"].append({"name": "further", "port": 8099, "targetPort": 8080, "protocol": "TCP"})

    return lambda hands: hands.edit("Service", name, change)


def _by_hand(site: Site) -> Iterator[Blow]:
    """Variables of a Service come from a ConfigMap in the place of the kubelet."""
    for item in site.exercise.criteria:
        expect = item.expect
        if not isinstance(expect, Env) or not expect.holds:
            continue
        for thing in site.workloads(given=False):
            if selects(expect.pods, thing.pod_labels):
                yield Blow(thing.title, (thing.name, "envFrom"), _writing_variables(thing, expect.service))


def _writing_variables(workload: Thing, name: str) -> Act:
    def act(hands: Hands) -> None:
        spec = hands.read("Service", name)["spec"]
        prefix = name.upper().replace("-", "_")
        data = {f"{prefix}_SERVICE_HOST": spec["clusterIP"], f"{prefix}_SERVICE_PORT": str(spec["ports"][0]["port"])}
        metadata = {"name": "by-hand"}
        hands.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        source = [{"configMapRef": {"name": "by-hand"}}]
        where = ("spec", "template", "spec", "containers", 0, "envFrom")
        hands.edit(workload.kind, workload.name, put(where, source), namespace=workload.namespace)

    return act


INSIDE = "only from inside the cluster"
OPERATORS = (
    Operator("external-ips", INSIDE, _external_ips),
    Operator("external-ips-beside", INSIDE, _addressed),
    Operator("node-port-beside", INSIDE, _node_port),
    Operator("load-balancer-beside", INSIDE, _load_balancer),
    Operator("ingress", INSIDE, _ingress),
    Operator("host-port", INSIDE, _host_port),
    Operator("exposed-from-elsewhere", INSIDE, _from_elsewhere),
    Operator("bystander-exposed", "this one may not be seen from outside", _hidden),
    Operator("further-port", "so many ports, and no more", _further_port),
    Operator("variables-by-hand", "variables are not written by hand", _by_hand),
)
