"""The variables of a Service in Pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.causes.scene import Scene
from grader.criteria.env import Env, Known, variables
from grader.model.evidence import Outcome, Problem
from grader.model.report import Hop, Verdict
from tests.judge.telling import told
from tests.judge.world import CLUSTER_IP, LABELS, SERVICE, World, criterion, exercise


def env(*, holds: bool = True, has: dict[str, str] | None = None, **spec: Any) -> World:
    world = World(exercise(criterion("env", Env(LABELS, SERVICE, holds), hop=Hop.VARIABLES))).set(**spec)
    world.service["metadata"]["creationTimestamp"] = "2026-01-02T02:00:00Z"
    world.variables["*"] = variables(world.service) if has is None else has
    return world


def test_the_variables_are_those_of_the_kubelet() -> None:
    world = env(ports=[{"name": "http-web", "port": 80}, {"port": 53, "protocol": "UDP"}])
    prefix = "BACKEND_SERVICE"
    assert variables(world.service) == {
        f"{prefix}_SERVICE_HOST": CLUSTER_IP,
        f"{prefix}_SERVICE_PORT": "80",
        f"{prefix}_SERVICE_PORT_HTTP_WEB": "80",
        f"{prefix}_PORT": f"tcp://{CLUSTER_IP}:80",
        f"{prefix}_PORT_80_TCP": f"tcp://{CLUSTER_IP}:80",
        f"{prefix}_PORT_80_TCP_PROTO": "tcp",
        f"{prefix}_PORT_80_TCP_PORT": "80",
        f"{prefix}_PORT_80_TCP_ADDR": CLUSTER_IP,
        f"{prefix}_PORT_53_UDP": f"udp://{CLUSTER_IP}:53",
        f"{prefix}_PORT_53_UDP_PROTO": "udp",
        f"{prefix}_PORT_53_UDP_PORT": "53",
        f"{prefix}_PORT_53_UDP_ADDR": CLUSTER_IP,
    }


def test_pods_that_have_them_all_pass_and_pods_without_pass_where_none_may_be() -> None:
    assert told(env()).finding.diagnosis == "env-holds"
    assert told(env(holds=False, has={})).finding.diagnosis == "env-absent"
    assert told(env(holds=False)).finding.diagnosis == "env-present-though"


def test_one_pod_without_them_is_enough_to_fail() -> None:
    world = env()
    world.variables["backend-c"] = {"PATH": "/bin"}
    report = told(world)
    assert (report.verdict, report.finding.diagnosis, report.broken) == (Verdict.FAIL, "env-missing", Hop.VARIABLES)
    assert report.finding.facts["pod"] == "backend-c"


def test_values_of_an_earlier_service_are_stale() -> None:
    world = env()
    world.variables["*"] = {**variables(world.service), "BACKEND_SERVICE_SERVICE_HOST": "10.96.1.1"}
    assert told(world).finding.diagnosis == "env-stale"
    world.service["metadata"]["creationTimestamp"] = "2026-01-02T03:03:00Z"  # made again after the Pods
    report = told(world)
    assert (report.finding.diagnosis, report.finding.facts["seen"]) == ("env-stale", "10.96.1.1")


def test_links_that_are_switched_off_explain_missing_variables() -> None:
    world = env(has={})
    for pod in world.pods:
        pod["spec"]["enableServiceLinks"] = False
    assert told(world).finding.diagnosis == "env-links-off"


def test_variables_written_by_hand_prove_nothing() -> None:
    world = env()
    container = world.pods[0]["spec"]["containers"][0]
    container["env"] = [{"name": "BACKEND_SERVICE_SERVICE_HOST", "value": CLUSTER_IP}]
    assert told(world).finding.diagnosis == "env-hard-coded"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ({"configMapRef": {"name": "links"}}, "ConfigMap links"),
        ({"prefix": "X_", "secretRef": {"name": "links"}}, "Secret links"),
    ],
)
def test_variables_that_may_come_from_elsewhere_prove_nothing(source: dict[str, Any], seen: str) -> None:
    world = env()
    world.pods[0]["spec"]["containers"][0]["envFrom"] = [source]
    report = told(world)
    assert (report.finding.diagnosis, report.finding.facts["source"]) == ("env-imported", seen)
    world.variables["*"] = {}  # none of them came from there
    assert told(world).finding.diagnosis == "env-missing"


def test_a_pod_that_is_older_than_a_service_that_was_made_anew_with_its_address_has_the_right_values() -> None:
    world = env()
    world.service["metadata"]["creationTimestamp"] = "2026-01-02T03:03:00Z"
    assert told(world).finding.diagnosis == "env-holds"


def test_a_service_without_an_address_makes_no_variables() -> None:
    assert told(env(clusterIP="None")).finding.diagnosis == "env-service-has-none"


def test_a_pod_that_does_not_say_is_waited_for() -> None:
    world = env()
    assert told(world, shell=()).verdict is Verdict.NOT_YET


def test_pods_that_cannot_be_asked_or_are_not_there_have_told_nothing() -> None:
    world = env()
    answers = tuple(replace(item, outcome=Outcome.UNASKED) for item in world.evidence().shell)
    blind = Problem("probe-unreachable", {"namespace": "shop", "pod": "backend-a", "reason": "r"}, "pod/backend-a:8080")
    report = told(world, shell=answers, problems=(blind,))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "probe-unreachable")
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    assert told(world).finding.diagnosis == "pods-moving"
    world.pods = world.pods[3:]
    assert told(world).finding.diagnosis == "backend-pods-missing"
    world.services = []
    assert told(world).finding.diagnosis == "service-missing"


def test_a_pod_that_declares_no_port_cannot_be_asked() -> None:
    world = env()
    del world.pods[1]["spec"]["containers"][0]["ports"]
    assert told(world).finding.facts["pod"] == "backend-b"
    assert told(world).verdict is Verdict.NOT_YET


def test_what_each_pod_knows_is_told_by_its_name() -> None:
    world = env()
    right = variables(world.service)
    world.variables = {
        "backend-a": right,
        "backend-b": {**right, "BACKEND_SERVICE_SERVICE_HOST": "10.96.1.1"},
        "backend-c": {"PATH": "/bin"},
    }
    expect = Env(LABELS, SERVICE, holds=True)
    known = {"backend-a": Known.NOW, "backend-b": Known.BEFORE, "backend-c": Known.NOT}
    assert expect.known(Scene(world.task, world.evidence())) == known
    world.services = []
    assert set(expect.known(Scene(world.task, world.evidence())).values()) <= {Known.NOT}
