"""A Service of our own stands beside the learner's while something is silent, and no longer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo, Provider
from grader.criteria.probe import Probe
from grader.errors import ClusterUnreachable
from grader.judge import judge
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.clock import WALL
from grader.model.evidence import Evidence, Outcome, Problem
from grader.model.report import Hop, Verdict
from grader.model.vantage import PROBE_NAMESPACE, At
from grader.observe import Observer
from grader.workflow.check import PROBE_COMES_UP, _until_told, check
from grader.workflow.ground import instruments
from grader.workflow.ground.controls import CONTROL_LABEL, Control, service, sweep, type_for
from grader.workflow.session.start import start
from tests.judge.telling import NOBODY, replacing
from tests.judge.world import World, criterion, exercise

LOCAL = ClusterInfo("a", Provider.EMBEDDED, Path("kubeconfig"), "v1.36.3")


class Api:
    """An API server's Services of our own."""

    def __init__(self, *, refuses: bool = False, unreachable: bool = False) -> None:
        self.clock = WALL
        self.services: dict[str, dict[str, Any]] = {}
        self.refuses, self.unreachable = refuses, unreachable

    def create(self, obj: Mapping[str, Any]) -> None:
        if self.refuses:
            raise ApiRefused({"reason": "Forbidden", "message": "no Services here"}, 403)
        made = copy.deepcopy(dict(obj))
        made["metadata"].setdefault("creationTimestamp", datetime.now(UTC).isoformat())
        self.services[made["metadata"]["name"]] = made

    def list(self, plural: str, namespace: str | None = None, *, labels: str = "") -> list[dict[str, Any]]:
        if self.unreachable:
            raise ClusterUnreachable("api-timeout", server="s")
        return list(self.services.values()) if plural == "services" else []

    def read(self, plural: str, name: str, namespace: str) -> None:
        return None

    def delete(self, plural: str, name: str, namespace: str) -> None:
        if self.unreachable:
            raise ClusterUnreachable("api-timeout", server="s")
        self.services.pop(name, None)


def test_it_is_over_our_own_pods_and_named_anew_each_time() -> None:
    made = service("a" * 60, "NodePort", "0a1b2c")
    assert len(made["metadata"]["name"]) <= 63
    assert made["metadata"]["namespace"] == PROBE_NAMESPACE
    api = Api()
    with Control(cast(KubeApi, api), LOCAL, "shop") as control, Control(cast(KubeApi, api), LOCAL, "shop") as other:
        names = {control.lay({At.NAME}), other.lay({At.NAME})}
        assert set(api.services) == names and len(names) == 2
    assert api.services == {}


def test_nothing_is_made_or_deleted_where_nothing_was_silent() -> None:
    api = Api(unreachable=True)
    with Control(cast(KubeApi, api), LOCAL, "shop"):
        pass


@pytest.mark.parametrize(
    ("shapes", "provider", "kind"),
    [
        ({At.NAME, At.CLUSTER_IP}, Provider.KIND, "ClusterIP"),
        ({At.NAME, At.NODE_PORT}, Provider.KIND, "NodePort"),
        ({At.NODE_PORT, At.LOAD_BALANCER}, Provider.KIND, "LoadBalancer"),
        ({At.LOAD_BALANCER}, Provider.CONTEXT, "NodePort"),
    ],
)
def test_it_has_every_shape_that_is_asked(shapes: set[At], provider: Provider, kind: str) -> None:
    assert type_for(shapes, ClusterInfo("a", provider, Path("k"), "v1.36.3")) == kind


def test_what_a_killed_check_left_is_taken_away_and_a_running_ones_is_not() -> None:
    api = Api()
    api.create(service("shop", "ClusterIP", "000000"))
    sweep(cast(KubeApi, api), datetime.now(UTC) + timedelta(minutes=5))
    assert len(api.services) == 1
    sweep(cast(KubeApi, api), datetime.now(UTC) + timedelta(minutes=15))
    assert api.services == {}
    sweep(cast(KubeApi, Api(unreachable=True)))


def test_a_cluster_that_is_gone_at_the_end_raises_nothing() -> None:
    api = Api()
    with Control(cast(KubeApi, api), LOCAL, "shop") as control:
        control.lay(set())
        api.unreachable = True


class Eyes:
    """An observer whose world is silent; a second passes with each look."""

    def __init__(self, world: World, api: Api, outcome: Outcome) -> None:
        self.world, self.api, self.outcome = world, api, outcome
        self.exercise = world.task
        self.target = self
        self.now, self.compared_at = 0.0, -1.0
        self.first_pause = self.longest_pause = 1.0
        self.inspections: list[float] = []
        self.problems: tuple[Problem, ...] = ()

    def observe(self, manifests: object, *, inspecting: bool, first_seconds: float) -> Evidence:
        self.now += 1.0
        if inspecting:
            self.inspections.append(self.now)
        if (self.compared_at >= 0 and self.world.compared is None) or (self.compared_at >= 0 and self.api.services):
            age = max(self.now - self.compared_at, 0.0)
            self.world.compare(own=self.outcome, here=self.outcome, age=age)
        return self.world.evidence(quiet_for=60.0, problems=self.problems)

    def compare(self, name: str) -> None:
        assert name in self.api.services
        self.compared_at = self.now

    def compare_nothing(self, reason: str) -> None:
        self.world.compared = None
        self.reason = reason

    def coexisted(self) -> bool:
        return True


def until_told(eyes: Eyes, deadline: float = 60.0) -> Verdict:
    report, _ = _until_told(
        cast(Observer, eyes), LOCAL, (), deadline, lambda *_: None, clock=lambda: eyes.now, sleep=lambda _: None
    )
    return report.verdict


def silent() -> World:
    world = World(exercise(criterion("reach")))
    world.answered["*"] = NOBODY
    return world


@pytest.mark.parametrize(
    ("outcome", "verdict"), [(Outcome.TIMEOUT, Verdict.ENVIRONMENT), (Outcome.ANSWERED, Verdict.FAIL)]
)
def test_silence_is_compared_and_told_within_seconds(outcome: Outcome, verdict: Verdict) -> None:
    api = Api()
    eyes = Eyes(silent(), api, outcome)
    assert until_told(eyes) is verdict
    assert eyes.now <= 12.0
    assert api.services == {}


@pytest.mark.parametrize(("order", "least", "most"), [((0, 1), 20.0, 24.0), ((1, 0), 8.0, 12.0)])
def test_a_failure_waits_longer_for_what_moves_before_it_on_the_way(
    order: tuple[int, int], least: float, most: float
) -> None:
    probe = Probe("Deployment", "backend", 8080, "/healthz", "server")
    criteria = (criterion("endpoints"), criterion("probe", probe, hop=Hop.ENDPOINT_SLICE))
    world = World(exercise(*(criteria[place] for place in order)))
    replacing(world, updated=1)
    world.deployments[0]["spec"]["template"]["spec"] = {"containers": [{"name": "server"}]}
    eyes = Eyes(world, Api(), Outcome.ANSWERED)
    assert until_told(eyes) is Verdict.FAIL
    assert least <= eyes.now <= most


def test_a_check_that_runs_out_of_time_leaves_nothing_behind() -> None:
    api = Api()
    eyes = Eyes(silent(), api, Outcome.TIMEOUT)
    assert until_told(eyes, deadline=3.0) is Verdict.NOT_YET
    assert eyes.compared_at >= 0
    assert api.services == {}


@pytest.mark.parametrize(("part", "verdict"), [(0.7, Verdict.FAIL), (0.4, Verdict.NOT_YET)])
def test_a_verdict_that_waits_for_time_alone_may_take_half_as_long_again(part: float, verdict: Verdict) -> None:
    eyes, late = Eyes(silent(), Api(), Outcome.ANSWERED), Eyes(silent(), Api(), Outcome.ANSWERED)
    assert until_told(eyes) is Verdict.FAIL
    assert until_told(late, deadline=part * eyes.now) is verdict
    assert late.now <= eyes.now


def test_where_no_service_of_ours_may_be_made_that_is_said() -> None:
    eyes = Eyes(silent(), Api(refuses=True), Outcome.TIMEOUT)
    assert until_told(eyes, deadline=8.0) is Verdict.NOT_YET
    assert eyes.reason == "no Services here"


def test_a_blind_first_look_has_the_cluster_inspected_at_the_second() -> None:
    eyes = Eyes(silent(), Api(), Outcome.TIMEOUT)
    eyes.problems = (Problem("probe-silent", {"vantage": "v"}, "node/worker"),)
    until_told(eyes)
    assert eyes.inspections[0] == 2.0


@pytest.mark.parametrize(("code", "waits"), [("kube-proxy-down", False), ("", True)])
def test_what_is_broken_in_the_cluster_is_not_waited_for_with_our_instruments(
    code: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruments, "mend", lambda *_: True)  # one of ours is made anew, and stays silent
    eyes = Eyes(silent(), Api(), Outcome.TIMEOUT)
    broken = (Problem(code, {"node": "worker", "pod": "p"}),) if code else ()
    eyes.problems = (*broken, Problem("probe-silent", {"vantage": "v"}, "same-namespace"))
    assert until_told(eyes) is Verdict.ENVIRONMENT
    assert (eyes.now > PROBE_COMES_UP) is waits


def test_a_cluster_that_cannot_be_reached_is_told_after_one_long_look() -> None:
    eyes = Eyes(World(), Api(), Outcome.TIMEOUT)
    eyes.problems = (Problem("cluster-unreachable", {"server": "s", "reason": "r"}, fatal=True),)
    assert until_told(eyes) is Verdict.ENVIRONMENT
    assert eyes.now <= 3.0
    assert judge(eyes.world.task, eyes.world.evidence(problems=eyes.problems)).verdict is Verdict.ENVIRONMENT


def test_on_a_whole_cluster_nothing_of_ours_is_left(cluster: ClusterInfo, tmp_path: Path) -> None:
    task = exercises.load("clusterip")
    start(task, cluster, tmp_path)
    with KubeApi(cluster.kubeconfig) as api, Control(api, cluster, task.id) as control:
        name = control.lay({At.NODE_PORT})
        made = api.read("services", name, PROBE_NAMESPACE)
        assert made is not None and made["spec"]["ports"][0]["nodePort"]
        assert check(task, cluster, deadline=30.0).verdict is Verdict.FAIL
        assert api.read("services", name, PROBE_NAMESPACE) is not None  # it is young: its check may be running
    with KubeApi(cluster.kubeconfig) as api:
        assert api.list("services", PROBE_NAMESPACE, labels=CONTROL_LABEL) == []
