"""Operators know from an exercise's data what they break, and what the card must name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from grader import exercises
from grader.criteria.object import Object as Expected
from grader.exercises import all_exercises
from grader.kube.client import ApiRefused
from grader.model.exercise import Exercise
from grader.model.ground import Given, GroundRule
from grader.workflow.proof.attacks.hands import Hands, drop, edit_at, put
from grader.workflow.proof.attacks.names import Named
from grader.workflow.proof.attacks.run import OPERATORS, Attack, attack_tasks, attacks
from grader.workflow.proof.attacks.site import Site
from grader.workflow.proof.mutations import excused, survivors


def found(exercise: Exercise, operator: str) -> list[Attack]:
    return [item for item in attacks(exercise) if item.operator.name == operator]


def targets(exercise: Exercise, operator: str) -> list[str]:
    return [item.blow.target for item in found(exercise, operator)]


@pytest.fixture(scope="module")
def everything() -> dict[str, list[Attack]]:
    """The attacks on all exercises, one of which has an object that may be changed but must not be made anew."""
    kept = Given("debug-starved-node", "Service", "menu")
    rule = GroundRule(("消さずに変更する。",), {kept: ("spec",)}, frozenset({kept}))
    mended = (replace(item, ground=rule) if item.id == kept.namespace else item for item in all_exercises())
    return {exercise.id: list(attacks(exercise)) for exercise in mended}


def test_there_are_enough_operators_and_each_has_a_name_of_its_own() -> None:
    kinds = Counter(operator.expected for operator in OPERATORS)
    assert kinds["fail"] >= 40
    assert kinds["pass"] >= 10
    assert len({operator.name for operator in OPERATORS}) == len(OPERATORS)


def test_every_operator_strikes_somewhere_and_every_attack_has_a_name_of_its_own(
    everything: dict[str, list[Attack]],
) -> None:
    struck = set()
    for exercise, made in everything.items():
        struck |= {item.operator.name for item in made}
        assert len({item.name for item in made}) == len(made), exercise
        assert {item.operator.expected for item in made} == {"fail", "pass"}, exercise
    assert {operator.name for operator in OPERATORS} - struck == set()


def test_what_breaks_a_clause_names_its_cause_and_what_breaks_none_names_nothing(
    everything: dict[str, list[Attack]],
) -> None:
    for exercise, made in everything.items():
        for item in made:
            if item.operator.name == "relabelled":
                continue  # the Pod's name is known when it is chosen
            assert bool(item.blow.names) == (item.operator.expected == "fail"), f"{exercise}/{item.name}"


def test_what_the_cluster_does_not_serve_is_not_tried() -> None:
    exercise = exercises.load("clusterip")
    names = {task.operator for task in attack_tasks(exercise)}
    assert names - {task.operator for task in attack_tasks(exercise, ("v1/ResourceQuota",))} == {"quota"}


def test_an_attack_that_is_excused_is_expected_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = exercises.load("clusterip")
    monkeypatch.setattr("grader.workflow.proof.attacks.run.excused", lambda _id, name: "why" if "batch" in name else "")
    expected = {task.name: task.expected for task in attack_tasks(exercise)}
    assert expected["scaled Deployment/batch"] == "pass"
    assert expected["scaled Deployment/backend"] == "fail"


def test_every_excuse_is_of_an_attack_that_is_made(everything: dict[str, list[Attack]]) -> None:
    made = {excused(exercise, item.name) for exercise, some in everything.items() for item in some}
    assert made - {""} == {item.reason for item in survivors() if item.attack}


# -- what must stay -------------------------------------------------------------------------------------------------


def test_what_the_answer_does_not_touch_must_stay_where_an_exercise_says_nothing() -> None:
    exercise = replace(exercises.load("session-affinity"), ground=GroundRule())
    assert targets(exercise, "scaled") == ["Deployment/upload", "Deployment/upload-cleaner"]
    assert targets(exercise, "retargeted") == ["Service/upload-status"]
    labels = replace(exercises.load("debug-label-removed"), ground=GroundRule())
    assert targets(labels, "scaled") == ["Deployment/lobby-next"]
    assert targets(labels, "deleted") == ["Deployment/lobby-next", "Service/lobby"]


def test_fields_that_may_differ_break_nothing_and_their_neighbours_do() -> None:
    main = Given("debug-label-removed", "Deployment", "lobby-main")
    rule = GroundRule(("…",), {main: ("spec.template",)}, frozenset({main}))
    exercise = replace(exercises.load("debug-label-removed"), ground=rule)
    site = Site(exercise)
    thing = next(item for item in site.given if item.name == "lobby-main")
    assert site.must_stay(thing, "spec.replicas")
    assert not site.must_stay(thing, "spec.template.spec.containers[0]")
    assert not site.must_stay(thing, "spec.template")
    assert site.must_stay(thing, "spec.templates")
    assert "Deployment/lobby-main" in targets(exercise, "scaled")
    assert "Deployment/lobby-main" in targets(exercise, "deleted")
    assert targets(exercise, "made-anew-though-kept") == ["Deployment/lobby-main"]
    free = replace(exercise, ground=replace(rule, kept=frozenset()))
    assert "Deployment/lobby-main" not in targets(free, "deleted")


def test_objects_of_further_namespaces_are_told_apart() -> None:
    names = targets(exercises.load("externalname-alias"), "deleted")
    assert {"Service/ledger", "Service/ledger in externalname-alias-office"} <= set(names)


# -- clauses --------------------------------------------------------------------------------------------------------


def test_only_services_for_the_inside_are_opened() -> None:
    exercise = exercises.load("complete-example")
    assert targets(exercise, "external-ips") == ["Service/tickets"]
    assert targets(exercise, "node-port-beside") == []  # the same Pods are open by another Service, as asked
    assert targets(exercises.load("clusterip"), "node-port-beside") == ["Service/backend-service"]
    assert targets(exercises.load("nodeport"), "external-ips") == []
    assert targets(exercises.load("nodeport"), "bystander-exposed") == ["Deployment/web-preview"]


def test_a_number_of_ports_is_read_from_the_task() -> None:
    assert [item.blow.names for item in found(exercises.load("final-exam"), "further-port")] == [
        ("tea-catalog", "8099")
    ]
    assert targets(exercises.load("multi-port"), "further-port") == []  # 「ポートの追加は自由です」


def test_a_policy_of_one_node_breaks_what_more_than_one_pod_must_answer() -> None:
    assert targets(exercises.load("clusterip"), "internal-local") == ["Service/backend-service"]
    assert targets(exercises.load("internal-traffic-policy"), "internal-local") == []
    assert targets(exercises.load("headless-deployment"), "internal-local") == []


def test_a_probe_moves_only_where_a_criterion_asks_for_it() -> None:
    asked = [item.id for item in all_exercises() if targets(item, "probe-of-another-port")]
    probes = [
        item.id
        for item in all_exercises()
        if any(
            isinstance(one.expect, Expected) and "readinessProbe" in str(one.expect.matches) for one in item.criteria
        )
    ]
    assert asked == probes


def test_what_another_manager_could_not_take_away_is_not_applied_on_the_server_side() -> None:
    assert targets(exercises.load("best-practices"), "server-side-apply") == []  # the answer leaves the type out
    assert targets(exercises.load("clusterip"), "server-side-apply") == [""]
    assert targets(exercises.load("type-change"), "server-side-apply") == []  # two things of one Service


def test_workloads_that_never_become_ready_are_not_restarted() -> None:
    (attack,) = found(exercises.load("key-points"), "restarted")
    edited: list[str] = []

    class Recorder:
        def edit(self, _kind: str, name: str, *_changes: object, namespace: str) -> None:
            edited.append(name)

    attack.blow.act(Recorder())  # type: ignore[arg-type]
    assert edited == ["museum", "artworks", "vault"]
    assert targets(exercises.load("publish-not-ready"), "restarted") == []


def test_pods_are_not_made_anew_where_the_exercise_is_exempt() -> None:
    exempt = exercises.load("external-endpoints")
    assert exempt.renewed_exempt
    assert targets(exempt, "restarted") == targets(exempt, "pod-deleted") == []
    assert targets(replace(exempt, renewed_exempt=""), "restarted") == [""]


def test_addresses_are_written_in_the_place_of_the_name_alone() -> None:
    named = Named(key=None, value="http://vault-0.vault.shop:8080/x", pod="vault-0", url=True)  # type: ignore[arg-type]
    assert named.service("home") == ("shop", "vault")
    assert named.with_host("10.0.0.1") == "http://10.0.0.1:8080/x"
    plain = replace(named, value="journal", pod="", url=False)
    assert plain.service("home") == ("home", "journal")
    assert plain.with_host("x.y") == "x.y"


@pytest.mark.parametrize("name", ["as-list", "as-json", "labels-added", "ports-reversed", "port-names"])
def test_another_way_to_say_the_same_says_the_same(name: str) -> None:
    exercise = exercises.load("multi-port")
    (attack,) = found(exercise, name)
    applied: list[str] = []

    class Recorder:
        def apply(self, text: str) -> None:
            applied.append(text)

    attack.blow.act(Recorder())  # type: ignore[arg-type]
    (said,) = list(yaml.safe_load_all(applied[0]))
    service = said["items"][0] if said["kind"] == "List" else said
    (answer,) = Site(exercise).answered
    assert service["spec"]["selector"] == answer.selector
    ports = {port["name"]: port for port in service["spec"]["ports"]}
    assert {key: port["port"] for key, port in ports.items()} == {p["name"]: p["port"] for p in answer.spec["ports"]}
    if name == "port-names":
        assert all(isinstance(port["targetPort"], str) for port in ports.values())
    elif name == "ports-reversed":
        assert list(ports) == [port["name"] for port in answer.spec["ports"]][::-1]
    elif name == "as-json":
        assert json.loads(applied[0])["items"] == [answer.content]


# -- hands ----------------------------------------------------------------------------------------------------------


class Store:
    """An API server of one object, which somebody else writes now and then."""

    def __init__(self, conflicts: int) -> None:
        self.live: dict[str, Any] = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 3}}
        self.conflicts, self.writes = conflicts, 0

    def get(self, _path: str) -> dict[str, Any]:
        return self.live

    def put(self, _path: str, obj: dict[str, Any]) -> None:
        self.writes += 1
        if self.writes <= self.conflicts:
            raise ApiRefused({"reason": "Conflict"}, 409)
        self.live = obj


def test_an_edit_is_tried_again_where_somebody_wrote_meanwhile() -> None:
    store = Store(conflicts=2)
    edit_at(store, "/", put(("spec", "replicas"), 1), put(("metadata", "labels", "a"), "b"))  # type: ignore[arg-type]
    assert store.live["spec"] == {"replicas": 1}
    assert store.live["metadata"]["labels"] == {"a": "b"}
    assert store.writes == 3
    with pytest.raises(ApiRefused):
        edit_at(Store(conflicts=99), "/", put(("spec", "replicas"), 1))  # type: ignore[arg-type]


def test_fields_are_taken_away_where_they_are_and_left_where_they_are_not() -> None:
    obj: dict[str, Any] = {"spec": {"containers": [{"name": "a", "readinessProbe": {}}]}}
    drop(("spec", "containers", 0, "readinessProbe"))(obj)
    drop(("metadata", "labels", "a"))(obj)
    assert obj["spec"] == {"containers": [{"name": "a"}]}


def test_what_was_done_last_is_put_back_first() -> None:
    def steps() -> Iterator[int]:
        yield from (1, 2, 3)

    undone: list[int] = []
    hands = Hands(None, None, None)  # type: ignore[arg-type]
    for step in steps():
        hands.later(lambda step=step: undone.append(step))  # type: ignore[misc]
    hands.put_back()
    hands.put_back()
    assert undone == [3, 2, 1]
