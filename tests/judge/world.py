"""Hand-made evidence: three backends, one stranger and a Service, each part of which a test may change."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.causes.comparing import compared_all, compared_name, vantages_of
from grader.causes.scene import Sight
from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.env import ENVIRONMENT
from grader.criteria.local import NODE_TRIES
from grader.criteria.object import Object
from grader.criteria.reach import Reach
from grader.criteria.records import ClusterIp
from grader.model.evidence import (
    Compared,
    Controls,
    DnsAnswer,
    Evidence,
    Outcome,
    ReachAnswer,
    ReachQuestion,
    ShellAnswer,
    ShellQuestion,
)
from grader.model.exercise import Criterion, Exercise
from grader.model.ground import Change, Given, Ground, Laid, content_of
from grader.model.kubernetes import expected_slices, has_slices
from grader.model.objects import Objects
from grader.model.report import Hop
from grader.model.vantage import At, Vantage
from grader.observe.plan import Plan, plan

NAMESPACE = "shop"
SERVICE = "backend-service"
CLUSTER_IP = "10.96.7.7"
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
TAKEN_AT = "2026-01-02T03:04:05.000Z"
OWN_ADDRESS = "172.18.0.99"
STARTED_AT = "2026-01-02T03:00:00Z"
GIVEN = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: backend}}
spec: {{template: {{spec: {{containers: [{{name: server, image: "{IMAGE}"}}]}}}}}}
"""
NODES = ("control-plane", "worker", "worker2")
Raw = dict[str, Any]
VANTAGES = ("same-namespace", "other-namespace", "outside-client")
CONTROL: Raw = {
    "metadata": {"name": "control-shop-0", "namespace": "course-probe"},
    "spec": {"clusterIP": "10.96.9.9", "ports": [{"name": "http", "port": 80, "nodePort": 31999}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "172.18.255.250"}]}},
}


def node(name: str, number: int) -> Raw:
    labels = {"node-role.kubernetes.io/control-plane": ""} if name == "control-plane" else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {
            "addresses": [{"type": "InternalIP", "address": f"172.18.0.{number}"}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(
    name: str, number: int, labels: dict[str, str], *, on: str = "worker", ready: bool = True, port: int = 8080
) -> Raw:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, "creationTimestamp": STARTED_AT},
        "spec": {
            "nodeName": on,
            "containers": [{"name": "server", "image": IMAGE, "ports": [{"name": "http-api", "containerPort": port}]}],
        },
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": f"10.244.1.{number}"}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"name": "server", "ready": ready, "state": {"running": {"startedAt": STARTED_AT}}}],
        },
    }


def probe() -> Raw:
    made = pod("grader-probe", 99, {})
    return made


def service(**spec: Any) -> Raw:
    made: Raw = {
        "metadata": {"name": SERVICE, "uid": "uid-service"},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": CLUSTER_IP,
            "selector": {"app": "backend"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }
    made["spec"].update(spec)
    return made


def slices(svc: Raw, pods: list[Raw]) -> list[Raw]:
    """What the EndpointSlice controller makes."""
    if not has_slices(svc):
        return []
    groups: dict[Any, list[Any]] = {}
    for item in sorted(expected_slices(svc, pods)):
        groups.setdefault((item.port_name, item.port, item.protocol), []).append(item)
    return [
        slice_of(svc, port, [endpoint_of(item) for item in items], number)
        for number, (port, items) in enumerate(groups.items())
    ]


def slice_of(svc: Raw, port: tuple[str, int | None, str], endpoints: list[Raw], number: int = 0) -> Raw:
    name, resolved, protocol = port
    labels = {
        "kubernetes.io/service-name": svc["metadata"]["name"],
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    return {
        "metadata": {"name": f"{svc['metadata']['name']}-{number}", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": name, "port": resolved, "protocol": protocol}] if resolved else [],
        "endpoints": endpoints,
    }


def endpoint_of(item: Any) -> Raw:
    return {
        "addresses": [item.address],
        "conditions": {"ready": item.ready, "serving": item.serving, "terminating": item.terminating},
        "targetRef": {"kind": "Pod", "name": item.name, "uid": item.pod},
        "nodeName": item.node,
    }


def deployment(name: str, labels: dict[str, str], replicas: int) -> Raw:
    container = {"name": "server", "image": IMAGE}
    return {
        "metadata": {"name": name, "uid": f"uid-deployment-{name}", "generation": 1},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
        },
        "status": {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas},
    }


def owned(made: Raw, kind: str, name: str, **generated: str) -> Raw:
    """Have a Pod belong to a workload, with the labels that its controller adds."""
    made["metadata"]["ownerReferences"] = [{"kind": kind, "name": name}]
    made["metadata"]["labels"] |= {key.replace("_", "-"): value for key, value in generated.items()}
    return made


def laid(kind: str, obj: Raw, namespace: str = NAMESPACE, allocated: tuple[str, ...] = ()) -> Laid:
    """An object as it is now, as what was laid."""
    what = Given(namespace, kind, obj["metadata"]["name"])
    return Laid(what, obj["metadata"].get("uid", ""), content_of({**obj, "kind": kind}), allocated)


LABELS = {"app": "backend"}
EXPECTED = {
    "service": Object("Service", SERVICE, {"spec": {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}}),
    "endpoints": Endpoints(SERVICE, LABELS, 8080, 80),
    "dns": Dns(f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", Vantage.SAME_NAMESPACE, "A", ClusterIp(), SERVICE),
    "reach": Reach(SERVICE, 80, At.NAME, (Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE), LABELS),
}
HOPS = {"service": Hop.SERVICE, "endpoints": Hop.ENDPOINT_SLICE, "dns": Hop.DNS, "reach": Hop.RESPONSE}


def criterion(name: str, expect: Any = None, *, negated: bool = False, hop: Hop | None = None) -> Criterion:
    return Criterion(name, 1.0, expect or EXPECTED[name], negated, hop or HOPS.get(name, Hop.RESPONSE))


def exercise(*criteria: Criterion) -> Exercise:
    chosen = criteria or tuple(criterion(name) for name in EXPECTED)
    return Exercise(
        id="shop", lesson=3, title="題", points=float(len(chosen)), namespace=NAMESPACE, folder=Path("shop"), task="",
        hints=("",), starter="", given=GIVEN, criteria=chosen, answers=(), wrong=(),
    )  # fmt: skip


class World:
    """Objects and answers, right to begin with; `evidence()` freezes them."""

    def __init__(self, task: Exercise | None = None) -> None:
        self.task = task or exercise()
        self.pods = [
            pod("backend-a", 1, {"app": "backend", "tier": "api"}, on="worker"),
            pod("backend-b", 2, {"app": "backend", "tier": "api"}, on="worker"),
            pod("backend-c", 3, {"app": "backend", "tier": "api"}, on="worker2"),
            pod("batch-a", 4, {"app": "batch", "tier": "api"}, on="worker2"),
        ]
        self.probe = probe()
        self.services = [service()]
        self.nodes = [node(name, index + 2) for index, name in enumerate(NODES)]
        self.deployments: list[Raw] = []
        self.slices: list[Raw] | None = None
        self.dns: tuple[DnsAnswer, ...] | None = None
        self.changes: dict[str, Any] = {"quiet_for": 60.0}
        self.answered: dict[str, Any] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.listed: dict[str, tuple[Raw, ...]] = {}
        self.elsewhere: tuple[Raw, ...] = ()
        self.further: dict[str, dict[str, tuple[Raw, ...]]] = {}
        self.compared: Controls | None = None
        self.laid: Ground | None = None

    @property
    def service(self) -> Raw:
        return self.services[0]

    def set(self, **spec: Any) -> World:
        self.service["spec"].update(spec)
        return self

    def ground(self, *further: Laid, told: tuple[Change, ...] = ()) -> World:
        """Have Deployments own the Pods, and lay these with what else was given."""
        for name in ("backend", "batch"):
            own = [item for item in self.pods if item["metadata"]["labels"]["app"] == name]
            self.deployments.append(deployment(name, own[0]["metadata"]["labels"], len(own)))
            for item in own:
                owned(item, "ReplicaSet", f"{name}-5d5f", pod_template_hash="5d5f")
        own_laid = tuple(laid("Deployment", item) for item in self.deployments)
        self.laid = Ground((*own_laid, *further), "digest", told)
        return self

    def objects(self) -> Objects:
        made = self.slices
        if made is None:
            made = [item for svc in self.services for item in slices(svc, [*self.pods, self.probe])]
        own = {
            "services": tuple(self.services),
            "pods": (*self.pods, self.probe),
            "endpointslices": tuple(made),
            "deployments": tuple(self.deployments),
            "nodes": tuple(self.nodes),
            **self.listed,
        }
        return copy.deepcopy(Objects(own, self.further, self.elsewhere))

    def plan(self, host_ports: dict[int, str] | None = None) -> Plan:
        return plan(self.task.criteria, Sight(self.objects(), NAMESPACE, host_ports or {}))

    def compare(
        self, *, own: Outcome = Outcome.ANSWERED, here: Outcome = Outcome.ANSWERED, age: float = 30.0, **changes: Any
    ) -> World:
        """Ask a Service of our own beside: how it is answered from our own Namespace, and from the exercise's."""
        control = copy.deepcopy(CONTROL)
        control["spec"]["type"] = "LoadBalancer"
        planned, objects = self.plan(self.changes.get("host_ports")), self.objects()
        outcomes = {vantage: here if vantage == "same-namespace" else own for vantage in VANTAGES}

        def steady(outcome: Outcome) -> float:
            lasted: float = changes.get("steady", age)
            return lasted if outcome is Outcome.ANSWERED else -lasted

        reach = []
        for question in compared_all(planned.reach, control, objects, (), 1):
            outcome = outcomes.get(question.vantage, own)
            reach.append(Compared(ReachAnswer(question, outcome, {"probe-worker": 1}), steady(outcome)))
        dns = []
        for asked in planned.dns:
            for vantage in vantages_of(asked.vantage, objects):
                outcome = outcomes.get(vantage, own)
                name = compared_name(asked, vantage, control)
                dns.append(Compared(DnsAnswer(name, outcome, "NOERROR", ("10.96.9.9",)), steady(outcome)))
        self.compared = Controls(control, age, tuple(reach), tuple(dns))
        return self

    def answer(self, question: ReachQuestion) -> ReachAnswer:
        """Right answers, unless the test says otherwise for this vantage."""
        where = f"{question.vantage} {question.host}"
        changed = self.answered.get(where, self.answered.get(question.vantage, self.answered.get("*")))
        if changed is not None and (question.want or where in self.answered):
            return replace(changed, question=question)
        if question.request == "clientip":
            return ReachAnswer(question, Outcome.ANSWERED, {OWN_ADDRESS: question.bound}, question.bound)
        if question.bound == NODE_TRIES and not question.want:  # a node that nobody serves
            return ReachAnswer(question, Outcome.TIMEOUT)
        names = question.want or ("backend-a",)
        return ReachAnswer(question, Outcome.ANSWERED, dict.fromkeys(names, 3), 9)

    def shell(self, question: ShellQuestion) -> ShellAnswer:
        """The vantage's own address; in a Pod the variables that the test gave it."""
        if question.command == ENVIRONMENT:
            pod = question.vantage.removeprefix("pod/").partition(":")[0]
            variables = self.variables.get(pod, self.variables.get("*", {}))
            return ShellAnswer(question, Outcome.ANSWERED, "".join(f"{k}={v}\n" for k, v in variables.items()))
        return ShellAnswer(question, Outcome.ANSWERED, f"{OWN_ADDRESS}\n")

    def direct(self, question: ReachQuestion) -> ReachAnswer:
        if "direct" in self.answered:
            return replace(self.answered["direct"], question=question)
        return ReachAnswer(question, Outcome.ANSWERED, {"backend-a": 1}, 1)

    def evidence(self, **changes: Any) -> Evidence:
        changes = {**self.changes, **changes}
        asked = self.plan(changes.get("host_ports"))
        address = self.service["spec"].get("clusterIP", "") if self.services else ""
        dns = [DnsAnswer(item, Outcome.ANSWERED, "NOERROR", (address,), item.name) for item in asked.dns]
        reach = [self.answer(item) for item in asked.reach] + [self.direct(item) for item in asked.direct]
        return Evidence(
            **{
                "exercise": "shop", "namespace": NAMESPACE, "cluster": "kind v1.36.3", "taken_at": TAKEN_AT,
                "controls": self.compared, "ground": self.laid,
                "objects": self.objects(), "reach": tuple(reach), "shell": tuple(map(self.shell, asked.shell)),
                "dns": tuple(dns) if self.dns is None else self.dns, **changes,
            }
        )  # fmt: skip
