"""What tests of the judge share: answers that went wrong, changes to a world, a report whose messages are filled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from grader.criteria.reach import Reach
from grader.judge import judge
from grader.model.evidence import (
    Outcome,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.report import Hop, Report
from grader.model.vantage import At, Vantage
from grader.render.card import finding_message
from tests.judge.world import LABELS, SERVICE, World, criterion, exercise
from tests.text.printed import Printed, lacks_namespace

NOBODY = ReachAnswer(ReachQuestion("", "", 0), Outcome.TIMEOUT, {}, 1, "0.35 s")
REFUSED = ReachAnswer(ReachQuestion("", "", 0), Outcome.REFUSED, {}, 1, "connection refused")


def only(*names: str) -> ReachAnswer:
    return ReachAnswer(ReachQuestion("", "", 0), Outcome.ANSWERED, dict.fromkeys(names, 5), 39)


def told(world: World, **changes: Any) -> Report:
    report = judge(world.task, world.evidence(**changes))
    for result in (None, *report.criteria):
        words = str(finding_message(report, result))
        commands = [Printed(span, report.finding.diagnosis) for span in re.findall("`([^`]+)`", words)]
        assert words and not any(map(lacks_namespace, commands)), words
    return report


PORT = {"port": 80, "protocol": "TCP", "targetPort": 8080}


def no_service(world: World) -> None:
    world.services = []


def spec(**changes: Any) -> Callable[[World], None]:
    return lambda world: world.service["spec"].update(changes)


def crashing(world: World) -> None:
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    world.pods[0]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}


def never_ready(world: World) -> None:
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    world.pods[0]["status"]["containerStatuses"][0]["ready"] = False
    world.pods[0]["spec"]["containers"][0]["readinessProbe"] = {"periodSeconds": 1}


def node_port(*sources: Vantage, everyone: bool = True) -> World:
    world = World(
        exercise(criterion("nodes", Reach(SERVICE, 80, At.NODE_PORT, sources, LABELS, everyone), hop=Hop.NODE))
    )
    world.set(type="NodePort", ports=[{**PORT, "nodePort": 30080}], externalTrafficPolicy="Cluster")
    world.changes["host_ports"] = {30080: "127.0.0.1:30080"}
    return world


def load_balancer() -> World:
    expect = Reach(SERVICE, 80, At.LOAD_BALANCER, (Vantage.OUTSIDE_CLIENT,), LABELS)
    world = World(exercise(criterion("outside", expect, hop=Hop.OUTSIDE_CLIENT)))
    world.set(type="LoadBalancer", externalTrafficPolicy="Cluster")
    world.service["status"] = {"loadBalancer": {"ingress": [{"ip": "172.18.255.200"}]}}
    return world


def replacing(world: World, *, updated: int, template: dict[str, str] | None = None) -> None:
    """The Deployment of the backends is replacing them; the Pods that are there are the old ones, but for `updated`."""
    for index, pod in enumerate(world.pods):
        if pod["metadata"]["labels"].get("app") == "backend":
            template_hash = "new" if index < updated else "old"
            pod["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": f"backend-{template_hash}"}]
            pod["metadata"]["labels"]["pod-template-hash"] = template_hash
            if template_hash == "new":
                pod["metadata"]["creationTimestamp"] = "2026-01-02T03:04:00Z"
    world.deployments = [
        {
            "metadata": {"name": "backend", "generation": 2},
            "spec": {"replicas": 3, "template": {"metadata": {"labels": template or {"app": "backend"}}}},
            "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated},
        }
    ]
