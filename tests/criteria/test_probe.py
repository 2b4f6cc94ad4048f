"""The container that serves a port is asked by HTTP at that port: in the template, and in the Pods made of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.criteria.probe import Probe
from grader.model.report import Hop, Verdict
from tests.judge.telling import told
from tests.judge.world import IMAGE, Raw, World, criterion, deployment, exercise

ASKS = Probe("Deployment", "backend", 8080, "/healthz")
RIGHT = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}}


def container(name: str = "server", probe: Raw | None = None, **changes: Any) -> Raw:
    made: Raw = {"name": name, "image": IMAGE, "ports": [{"name": "http-api", "containerPort": 8080}], **changes}
    return made | ({"readinessProbe": copy.deepcopy(probe)} if probe else {})


def probed(*containers: Raw, expect: Probe = ASKS) -> World:
    world = World(exercise(criterion("probe", expect, hop=Hop.ENDPOINT_SLICE)))
    world.ground()
    world.laid = None
    for item in (world.deployments[0]["spec"]["template"], *world.pods[:3]):
        item["spec"]["containers"] = copy.deepcopy(list(containers or (container(probe=RIGHT),)))
    return world


def failed(world: World, diagnosis: str) -> dict[str, str]:
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, diagnosis)
    return dict(report.finding.facts)


def test_a_probe_of_the_port_in_template_and_pods_passes() -> None:
    report = told(probed())
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "probe-asks")
    assert "/healthz" in report.criteria[0].seen


@pytest.mark.parametrize(
    "get",
    [
        {"path": "/healthz", "port": 8080},
        {"path": "/healthz", "port": "http-api"},
        {"path": "/healthz", "port": 8080, "scheme": "HTTP", "httpHeaders": []},
    ],
)
def test_a_port_may_be_named_and_a_default_left_out(get: Raw) -> None:
    assert told(probed(container(probe={"httpGet": get}))).verdict is Verdict.PASS


def test_an_empty_path_is_the_root() -> None:
    root = replace(ASKS, path="/")
    assert told(probed(container(probe={"httpGet": {"port": 8080}}), expect=root)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("probe", "field", "seen"),
    [
        ({"httpGet": {"path": "/", "port": 8080}}, "readinessProbe.httpGet.path", "/"),
        ({"httpGet": {"path": "/healthz", "port": 81}}, "readinessProbe.httpGet.port", "81"),
        ({"httpGet": {"path": "/healthz", "port": "nobody"}}, "readinessProbe.httpGet.port", "nobody"),
        (
            {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTPS"}},
            "readinessProbe.httpGet.scheme",
            "HTTPS",
        ),
        ({"tcpSocket": {"port": 8080}}, "readinessProbe", "{tcpSocket: {port: 8080}}"),
        ({"exec": {"command": ["true"]}}, "readinessProbe", "{exec: {command: ['true']}}"),
    ],
)
def test_each_way_to_ask_otherwise_is_told_by_its_field(probe: Raw, field: str, seen: str) -> None:
    facts = failed(probed(container(probe=probe)), "probe-differs")
    assert (facts["field"], facts["seen"]) == (field, seen)


def test_none_at_all_and_one_of_another_container_are_told_apart() -> None:
    failed(probed(container()), "probe-missing")
    beside = container("beside", RIGHT, ports=[])
    assert failed(probed(container(), beside), "probe-elsewhere")["seen"] == "beside"


def test_a_liveness_probe_is_no_readiness_probe() -> None:
    failed(probed(container(livenessProbe=RIGHT)), "probe-missing")


@pytest.mark.parametrize(
    "serves",
    [
        {"ports": [], "args": ["netexec", "--http-port=8080"]},
        {"ports": [], "command": ["/agnhost", "netexec", "--http-port=8080"]},
        {"ports": [{"containerPort": 8080}]},
    ],
)
def test_the_container_is_the_one_that_serves_the_port(serves: Raw) -> None:
    beside = container("beside", ports=[{"containerPort": 9090}])
    assert told(probed(beside, container(probe=RIGHT, **serves))).verdict is Verdict.PASS


def test_one_that_is_told_to_listen_goes_before_one_that_only_declares_the_port() -> None:
    declares = container("declares", RIGHT)
    listens = container("listens", ports=[], args=["--http-port=8080"])
    assert failed(probed(declares, listens), "probe-elsewhere")["container"] == "listens"


def test_of_several_that_do_not_tell_none_is_chosen_and_a_single_one_is() -> None:
    silent = [container(name, RIGHT, ports=[]) for name in ("one", "other")]
    assert failed(probed(*silent), "probe-no-container")["seen"] == "one, other"
    assert told(probed(silent[0])).verdict is Verdict.PASS


def test_a_container_that_the_task_names_is_the_one() -> None:
    named = replace(ASKS, container="beside")
    beside = container("beside", RIGHT, ports=[{"name": "http-api", "containerPort": 8080}])
    assert told(probed(container(), beside, expect=named)).verdict is Verdict.PASS
    assert failed(probed(container(probe=RIGHT), expect=named), "probe-no-container")["container"] == "beside"


def test_pods_that_were_not_made_of_the_template_yet_do_not_pass() -> None:
    world = probed()
    del world.pods[1]["spec"]["containers"][0]["readinessProbe"]
    assert failed(world, "probe-not-in-pod")["pod"] == "backend-b"
    world.deployments[0]["metadata"]["generation"] = 2  # not seen by its controller
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.NOT_YET, "rollout-moving")


def missing(world: World) -> None:
    world.deployments = []


def renamed(world: World) -> None:
    world.deployments = [deployment("other", {"app": "backend"}, 3)]


@pytest.mark.parametrize("change", [missing, renamed])
def test_a_workload_that_is_not_there_has_no_probe(change: Callable[[World], None]) -> None:
    world = probed()
    change(world)
    failed(world, "object-missing")


def test_it_speaks_of_the_workload_and_looks_at_its_kind() -> None:
    kind = replace(ASKS, kind="StatefulSet")
    assert (kind.subject, kind.resources) == ("StatefulSet backend", {"statefulsets"})
