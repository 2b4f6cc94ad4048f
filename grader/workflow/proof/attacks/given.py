"""What was given is changed: scaled, deleted, edited, or replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grader.workflow.proof.attacks.hands import Change, Hands, Path, drop, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site, Thing

CONTAINER: Path = ("spec", "template", "spec", "containers", 0)


def _workloads(site: Site, field: str) -> Iterator[Thing]:
    """Find the given workloads of which a field must stay."""
    for thing in site.workloads():
        if site.must_stay(thing, field):
            yield thing


def _templates(site: Site) -> Iterator[Thing]:
    """Find the given workload whose Pods must stay what they are: the last, which is often the bystander."""
    yield from tuple(_workloads(site, "spec.template.spec.containers[0]"))[-1:]


def _first_templates(site: Site) -> Iterator[Thing]:
    """Find the first of them, which is mostly what the task is about."""
    yield from tuple(_workloads(site, "spec.template.spec.containers[0]"))[:1]


def _services(site: Site, field: str) -> Iterator[Thing]:
    for thing in site.given:
        if thing.kind == "Service" and site.must_stay(thing, field):
            yield thing


def _edited(things: Callable[[Site], Iterator[Thing]], word: str, *changes: Change) -> Callable[[Site], Iterator[Blow]]:
    """Make the blows of an operator that edits given objects alike; `word` is the field that the card must name."""

    def strikes(site: Site) -> Iterator[Blow]:
        for thing in things(site):
            yield Blow(thing.title, (thing.name, word), editing(thing, *changes))

    return strikes


def _scaled(site: Site) -> Iterator[Blow]:
    for thing in _workloads(site, "spec.replicas"):
        fewer = thing.replicas - 1
        yield Blow(thing.title, (thing.name, "replicas"), editing(thing, put(("spec", "replicas"), fewer)))


def _scaled_up(site: Site) -> Iterator[Blow]:
    for thing in _workloads(site, "spec.replicas"):
        more = thing.replicas + 1
        yield Blow(thing.title, (thing.name, "replicas"), editing(thing, put(("spec", "replicas"), more)))


def _deleted(site: Site) -> Iterator[Blow]:
    for thing in site.given:
        if not site.may_go(thing):
            yield Blow(thing.title, (thing.name,), _deleting(thing))


def _deleting(thing: Thing) -> Callable[[Hands], None]:
    return lambda hands: hands.delete(thing.kind, thing.name, thing.namespace, gone=True)


def _ports(site: Site) -> Iterator[Thing]:
    for thing in _first_templates(site):
        if thing.template["spec"]["containers"][0].get("ports"):
            yield thing


def _probed(site: Site) -> Iterator[Thing]:
    for thing in _templates(site):
        if "httpGet" in (thing.template["spec"]["containers"][0].get("readinessProbe") or {}):
            yield thing


def _deployments(site: Site) -> Iterator[Thing]:
    yield from [item for item in _workloads(site, "spec.paused") if item.kind == "Deployment"][:1]


def _with_argument(workload: dict[str, object]) -> None:
    put((*CONTAINER, "args"), ["netexec", "--http-port=8080", "--udp-port=8082"])(workload)


def _moved(site: Site) -> Iterator[Blow]:
    """All Pods on the node of the control plane: it is tolerated, and chosen."""
    tolerations = [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]
    chosen = {"node-role.kubernetes.io/control-plane": ""}
    for thing in _workloads(site, "spec.template.spec.nodeSelector"):
        act = editing(
            thing,
            put(("spec", "template", "spec", "tolerations"), tolerations),
            put(("spec", "template", "spec", "nodeSelector"), chosen),
        )
        yield Blow(thing.title, (thing.name, "nodeSelector"), act)
        return  # one is enough: it is the same clause for every other


def _selectors(site: Site) -> Iterator[Blow]:
    for thing in _services(site, "spec.selector"):
        if thing.selector:
            act = editing(thing, put(("spec", "selector"), {"app": "somebody-else"}))
            yield Blow(thing.title, (thing.name, "selector"), act)


def _retargeted(site: Site) -> Iterator[Blow]:
    for thing in _services(site, "spec.ports"):
        if thing.spec.get("ports"):
            yield Blow(thing.title, (thing.name, "ports"), editing(thing, put(("spec", "ports", 0, "targetPort"), 9)))


def _retyped(site: Site) -> Iterator[Blow]:
    for thing in _services(site, "spec.type"):
        if thing.spec.get("type", "ClusterIP") == "ClusterIP" and thing.has_cluster_ip:
            yield Blow(thing.title, (thing.name, "type"), editing(thing, put(("spec", "type"), "NodePort")))


def _aliased(site: Site) -> Iterator[Blow]:
    changes = (
        put(("spec", "type"), "ExternalName"),
        put(("spec", "externalName"), "somewhere.example"),
        *(drop(("spec", field)) for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")),
        *(drop(("spec", field)) for field in ("internalTrafficPolicy", "externalTrafficPolicy")),
        _without_node_ports,
    )
    for thing in _services(site, "spec.type"):
        yield Blow(thing.title, (thing.name, "type"), editing(thing, *changes))


def _without_node_ports(service: dict[str, object]) -> None:
    spec = service["spec"]
    assert isinstance(spec, dict)
    spec["ports"] = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports", ())]


def _slices(site: Site) -> Iterator[Blow]:
    for thing in site.given:
        if thing.kind == "EndpointSlice" and site.must_stay(thing, "endpoints"):
            change = put(("endpoints", 0, "addresses"), ["198.51.100.99"])
            yield Blow(thing.title, (thing.name,), editing(thing, change))


OPERATORS = (
    Operator("scaled", "given workloads stay as they are: how many Pods", _scaled),
    Operator("scaled-up", "given workloads stay as they are: how many Pods", _scaled_up),
    Operator("deleted", "given objects stay", _deleted),
    Operator(
        "port-renamed",
        "given workloads stay as they are: the names of their ports",
        _edited(_ports, "ports", put((*CONTAINER, "ports", 0, "name"), "renamed")),
    ),
    Operator(
        "arguments-changed",
        "given workloads stay as they are: what their containers run",
        _edited(_probed, "args", _with_argument),
    ),
    Operator(
        "image-changed",
        "given workloads stay as they are: what their containers run",
        _edited(_first_templates, "image", put((*CONTAINER, "image"), "registry.k8s.io/e2e-test-images/agnhost:2.0")),
    ),
    Operator(
        "probe-removed",
        "given workloads stay as they are: when they are ready",
        _edited(_probed, "readinessProbe", drop((*CONTAINER, "readinessProbe"))),
    ),
    Operator(
        "never-ready",
        "given workloads stay as they are: when they are ready",
        _edited(_probed, "readinessProbe", put((*CONTAINER, "readinessProbe", "httpGet", "port"), 9)),
    ),
    Operator(
        "paused",
        "given workloads stay as they are: whether they roll out",
        _edited(
            _deployments,
            "paused",
            put(("spec", "paused"), True),
        ),
    ),
    Operator("moved", "given workloads stay as they are: where their Pods run", _moved),
    Operator("selector-changed", "given Services stay as they are", _selectors),
    Operator("retargeted", "given Services stay as they are", _retargeted),
    Operator("retyped", "given Services stay as they are", _retyped),
    Operator("aliased", "given Services stay as they are", _aliased),
    Operator("slice-edited", "given EndpointSlices stay as they are", _slices),
)
