"""What is listed, asked and told of a cluster; a verdict rests on objects that coexisted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

import pytest

from grader.criteria.env import Env
from grader.criteria.reach import Reach
from grader.errors import ClusterUnreachable
from grader.judge import judge
from grader.kube.client import ApiRefused, KubeApi, ProbeUnreachable
from grader.model.evidence import Action, Evidence, ManifestResult, Outcome
from grader.model.ground import Change, Given, Ground
from grader.model.report import Hop, Verdict
from grader.model.vantage import PROBE_POD, At, Vantage
from grader.observe import Observer
from grader.observe.carriers import ApiCarrier, CarrierError, PodCarrier
from grader.observe.container import ContainerCarrier
from grader.observe.observer import Target
from tests.judge.world import CLUSTER_IP, LABELS, NAMESPACE, SERVICE, Raw, World, criterion, exercise, laid


class Api:
    """An API server with the objects of a World; `between` happens once Pods have been listed for the first time."""

    def __init__(self, world: World, between: Callable[[], None] = lambda: None) -> None:
        self.world, self.between, self.listed = world, between, 0
        self.records: dict[str, Ground] = {"ground-shop": world.laid} if world.laid else {}
        self.config_maps: dict[str, Raw] = {}
        self.others: list[Raw] = []
        self.homes: list[Raw] = []
        self.hidden: set[str] = set()
        self.silent: set[str] = set()
        self.started = True
        self.gone = False

    def list(self, plural: str, namespace: str | None = None, *, labels: str = "") -> list[Mapping[str, Any]]:
        if self.gone:
            raise ClusterUnreachable("api-timeout", server="s", reason="r")
        if plural in self.hidden:
            raise ApiRefused({"reason": "Forbidden"}, 403)
        if plural == "namespaces":
            return self.homes
        if namespace is None and plural == "services":
            return self.others
        items = [dict(item) for item in self.world.objects().of(plural)] if namespace in (NAMESPACE, None) else []
        if plural == "pods":
            self.listed += 1
            if self.listed == 1:
                self.between()
        return items

    def read(self, plural: str, name: str, namespace: str = "") -> Raw | None:
        if plural == "namespaces":
            return {} if self.started else None
        if name in self.records:
            return {"data": {"ground.json": json.dumps(asdict(self.records[name]))}}
        return self.config_maps.get(name)

    def get(self, path: str) -> Raw:
        return {"30080": "127.0.0.1:30080", "more": "x"}

    host_ports = KubeApi.host_ports

    def pod_get(
        self, namespace: str, pod: str, path: str, query: Mapping[str, str], *, port: int, timeout: float
    ) -> bytes:
        if pod in self.silent:
            raise ProbeUnreachable("probe", reason="gone", http_status="503")
        if path == "dial":
            names = ["backend-a", "backend-b", "backend-c"] * 20
            return json.dumps({"responses": names[: int(query["tries"])]}).encode()
        if query["cmd"].startswith("dig"):
            name = next(word for word in query["cmd"].split() if word.endswith("."))
            answer = f";; ->>HEADER<<- status: NOERROR, id: 1\n;; ANSWER SECTION:\n{name} 5 IN A {CLUSTER_IP}\n"
            return json.dumps({"output": answer}).encode()
        return json.dumps({"output": "A=b\n"}).encode()


def observer(world: World, between: Callable[[], None] = lambda: None) -> Observer:
    return looking(Api(world, between))


def looking(api: Api, **target: Any) -> Observer:
    """An observer whose clock goes on by ten minutes whenever somebody looks at it."""
    clock = itertools.count(0.0, 600.0)
    at = Target(cast(KubeApi, api), "a cluster", **target)
    return Observer(at, api.world.task, clock=lambda: next(clock))


def test_objects_that_stay_as_they_are_coexisted() -> None:
    with observer(World()) as eyes:
        eyes.objects()
        assert eyes.coexisted()


def test_objects_that_change_while_they_are_collected_did_not_coexist() -> None:
    world = World()
    before = len(world.objects().of("pods"))

    def rolled_out() -> None:
        gone = world.pods.pop()
        assert gone["metadata"]["uid"] not in {item["metadata"]["uid"] for item in world.pods}

    with observer(world, rolled_out) as eyes:
        assert len(eyes.objects().of("pods")) == before
        assert not eyes.coexisted()
        assert eyes.coexisted()  # and now they are still


def evidence(api: Api, **target: Any) -> Evidence:
    with looking(api, **target) as eyes:
        return eyes.observe()


def codes(found: Evidence) -> list[str]:
    return [item.code for item in found.problems]


def test_time_in_which_nobody_looked_is_not_time_in_which_nothing_changed() -> None:
    with looking(Api(World().ground())) as eyes:  # ten minutes between looks
        assert [eyes.observe().quiet_for for _ in range(3)] == [5.0, 10.0, 15.0]


def test_everything_that_is_observed_of_a_right_answer_passes() -> None:
    api = Api(World().ground())
    found = evidence(api)
    assert judge(api.world.task, found).verdict is Verdict.PASS
    assert (found.quiet_for, found.problems, found.controls) == (5.0, (), None)
    assert {item.outcome for item in (*found.reach, *found.dns)} == {Outcome.ANSWERED}


def test_the_ground_is_read_with_the_clusters_own_and_what_a_hand_in_tells() -> None:
    world = World().ground()
    node = {**world.nodes[1], "kind": "Node"}
    node["metadata"]["annotations"] = {"note": "was there before"}
    config: Raw = {"metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": "."}}
    api = Api(world)
    cluster = (laid("Node", node, ""), laid("ConfigMap", config, "kube-system"))
    api.records["ground-of-the-cluster"] = Ground(cluster)
    api.config_maps["coredns"] = config
    found = evidence(api)
    assert found.ground and found.ground.laid[-2:] == cluster
    assert judge(world.task, found).verdict is Verdict.PASS  # nothing of a node is lost on the way here
    config["data"] = {"Corefile": "other"}
    assert judge(world.task, evidence(api)).broken is Hop.GROUND
    change = Change(Given(NAMESPACE, "Deployment", "backend"), "spec.replicas", "3", "0")
    eyes = Observer(Target(cast(KubeApi, Api(World().ground())), "a cluster"), world.task, told=(change,))
    with eyes:
        told = eyes.observe().ground
    assert told and told.told == (change,)


def test_without_a_record_nothing_is_judged() -> None:
    assert codes(evidence(Api(World()))) == ["ground-unknown"]


def test_an_exercise_that_was_not_begun_is_told() -> None:
    world = World()
    world.listed = {"pods": (), "deployments": ()}
    api = Api(world)
    assert codes(evidence(api)) == ["ground-unknown"]  # it gives no Pods, but its Namespace is there
    api.started = False
    assert codes(evidence(api)) == ["exercise-not-started"]


def test_a_cluster_that_does_not_answer_is_a_problem_and_no_error() -> None:
    api = Api(World().ground())
    api.gone = True
    assert codes(evidence(api)) == ["cluster-unreachable"]
    api = Api(World().ground())
    api.hidden = {"pods"}
    assert codes(evidence(api)) == ["cluster-unreachable"]


def test_what_a_shared_cluster_hides_is_not_there() -> None:
    api = Api(World().ground())
    api.hidden = {"nodes", "networkpolicies", "resourcequotas"}
    found = evidence(api)
    assert (found.objects.of("nodes"), found.objects.of("networkpolicies")) == ((), ())
    assert codes(found) == []


def test_where_a_manifest_was_refused_nothing_is_asked() -> None:
    refused = ManifestResult(1, "Service", SERVICE, NAMESPACE, Action.REFUSED)
    with looking(Api(World().ground())) as eyes:
        found = eyes.observe((refused,))
    assert (found.dns, found.reach, found.manifests) == ((), (), (refused,))


def test_a_vantage_that_cannot_be_used_is_a_problem_of_that_vantage_and_told_once() -> None:
    api = Api(World().ground())
    api.silent = {"grader-probe"}
    found = evidence(api)
    assert [(item.code, item.vantage) for item in found.problems] == [("probe-unreachable", "same-namespace")]
    unasked = {item.question.vantage for item in (*found.reach, *found.dns) if item.outcome is Outcome.UNASKED}
    assert unasked == {"same-namespace"}


def test_the_endpoints_themselves_are_asked_only_where_an_answer_is_not_as_wanted() -> None:
    api = Api(World().ground())
    assert not [item for item in evidence(api).reach if item.question.port == 8080]
    api.silent = {"probe-worker"}  # which speaks for the other Namespace
    assert len([item for item in evidence(api).reach if item.question.port == 8080]) == 3


def test_a_service_of_that_name_elsewhere_is_told_unless_another_exercise_owns_it() -> None:
    world = World().ground()
    world.services = []
    api = Api(world)

    def there(name: str, namespace: str) -> Raw:
        metadata = {"name": name, "namespace": namespace, "creationTimestamp": "t", "uid": "u"}
        return {"kind": "Service", "metadata": metadata}

    api.others = [there(SERVICE, "default"), there(SERVICE, "other"), there(SERVICE, NAMESPACE), there("x", "default")]
    label = "services-course.example/exercise"
    api.homes = [
        {"metadata": {"name": home, "labels": {label: owner}}} for home, owner in (("other", "other"), ("shop", "shop"))
    ]
    found = evidence(api).objects.elsewhere
    where = {"name": SERVICE, "namespace": "default", "creationTimestamp": "t"}
    assert found == ({"kind": "Service", "metadata": where},)
    api.hidden = {"namespaces"}
    assert evidence(api).objects.elsewhere == ()


def test_nodes_and_system_are_inspected_on_demand_and_found_problems_stay() -> None:
    api = Api(World().ground())
    with looking(api) as eyes:
        found = codes(eyes.observe(inspecting=True))
        assert "dns-server-down" in found
        assert codes(eyes.observe()) == found


def test_why_nothing_can_be_compared_is_told_in_all_evidence() -> None:
    with looking(Api(World().ground())) as eyes:
        eyes.compare_nothing("forbidden")
        controls = eyes.observe().controls
    assert controls and (controls.service, controls.reason) == (None, "forbidden")


def test_ports_of_this_host_are_asked_of_the_api_server_where_it_knows_them() -> None:
    api = Api(World().ground())
    assert evidence(api, host_ports={30081: "127.0.0.1:1"}).host_ports == {30081: "127.0.0.1:1"}
    assert evidence(api, host_ports_path="/host-ports").host_ports == {30080: "127.0.0.1:30080"}


@pytest.mark.parametrize(
    ("vantage", "namespace", "pod", "port"),
    [
        ("same-namespace", NAMESPACE, "grader-probe", 8080),
        ("other-namespace", "course-probe", "probe-worker", 8080),
        ("node/worker2", "course-probe", "probe-worker2", 8080),
        ("pod/backend-a:9090", NAMESPACE, "backend-a", 9090),
    ],
)
def test_each_vantage_has_its_own_pod(vantage: str, namespace: str, pod: str, port: int) -> None:
    world = World()
    with observer(world) as eyes:
        way = eyes.carrier(vantage, world.objects())
    assert isinstance(way, PodCarrier)
    assert (way.namespace, way.pod, way.port) == (namespace, pod, port)


def test_the_outside_client_is_where_the_cluster_says_it_is() -> None:
    world = World()
    with looking(Api(world)) as eyes, pytest.raises(CarrierError) as caught:
        eyes.carrier("outside-client", world.objects())
    assert caught.value.code == "outside-client-missing"
    with looking(Api(world), outside="api:/outside/") as eyes:
        way = eyes.carrier("outside-client", world.objects())
    assert isinstance(way, ApiCarrier) and way.path == "/outside"
    with looking(Api(world), outside="docker:client") as eyes:
        way = eyes.carrier("outside-client", world.objects())
    assert isinstance(way, ContainerCarrier) and way.container == "client"


def test_a_question_of_this_host_is_asked_from_here() -> None:
    expect = Reach(SERVICE, 80, At.NODE_PORT, (Vantage.LEARNER_HOST,), LABELS)
    world = World(exercise(criterion("host", expect))).ground()
    world.set(type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}])
    nobody = {30080: "127.0.0.1:1"}  # nothing listens at port 1
    (answer, *_) = evidence(Api(world), host_ports=nobody).reach
    assert (answer.question.vantage, answer.outcome) == ("learner-host", Outcome.REFUSED)


def test_the_variables_of_pods_are_asked_in_each_of_them() -> None:
    world = World(exercise(criterion("env", Env(LABELS, SERVICE, True)))).ground()
    api = Api(world)
    api.silent = {"backend-b"}
    found = evidence(api)
    told = {item.question.vantage: (item.outcome, item.output) for item in found.shell}
    assert told == {
        "pod/backend-a:8080": (Outcome.ANSWERED, "A=b\n"),
        "pod/backend-b:8080": (Outcome.UNASKED, ""),
        "pod/backend-c:8080": (Outcome.ANSWERED, "A=b\n"),
    }
    assert [item.vantage for item in found.problems] == ["pod/backend-b:8080"]


@pytest.mark.parametrize("lasting", [False, True])
def test_where_answers_last_a_right_one_is_not_asked_for_again_until_an_object_changes(lasting: bool) -> None:
    api = Api(World().ground())

    def outcomes(eyes: Observer) -> set[Outcome]:
        return {item.outcome for item in eyes.observe().reach if item.question.vantage == "same-namespace"}

    with looking(api, lasting=lasting) as eyes:
        assert outcomes(eyes) == {Outcome.ANSWERED}
        api.silent = {PROBE_POD}
        assert outcomes(eyes) == {Outcome.ANSWERED if lasting else Outcome.UNASKED}
        api.world.pods[0]["metadata"]["resourceVersion"] = "changed"
        assert outcomes(eyes) == {Outcome.UNASKED}
