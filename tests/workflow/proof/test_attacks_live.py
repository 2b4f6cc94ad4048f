"""Attacks on a whole cluster: they do what they say, and put back what the making of new ground would not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.kube.client import KubeApi
from grader.model.kubernetes import is_ready, name_of, uid_of
from grader.model.vantage import PROBE_NAMESPACE, PROBE_POD
from grader.workflow.proof.attacks.cluster import SHOCKS, ZONE, attack_cluster
from grader.workflow.proof.attacks.hands import FINALIZER, Hands, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.run import Attack, attack_tasks, attacks, unserved
from grader.workflow.proof.attacks.site import Site, Thing
from grader.workflow.proof.renewed import drain, renew, renewals
from grader.workflow.proof.verify import Task, VerifyResult, standing, verify

CLUSTERIP = exercises.load("clusterip")


@pytest.fixture
def api(cluster: ClusterInfo) -> Iterator[KubeApi]:
    with KubeApi(cluster.kubeconfig) as made:
        yield made


@pytest.fixture
def ground(api: KubeApi) -> Iterator[KubeApi]:
    """The ground of an exercise as new."""
    with standing(api, CLUSTERIP) as anew:
        anew()
        yield api


def doing(name: str, api: KubeApi, cluster: ClusterInfo) -> Hands:
    """Do what an operator does, and put nothing back."""
    attack = next(item for item in attacks(CLUSTERIP) if item.operator.name == name)
    hands = Hands(api, cluster, Site(CLUSTERIP))
    if not attack.blow.instead:
        hands.answer()
    attack.blow.act(hands)
    return hands


def test_attempts_come_out_with_the_operator_and_what_must_be_named(cluster: ClusterInfo) -> None:
    only = ("udp-port", "another-proxy", "as-json", "probe-deleted")
    result = verify([CLUSTERIP], cluster, only=only, make=attack_tasks)
    got = {item.operator: (item.kind, item.sound, item.named) for item in result.attempts}
    assert got == {
        "udp-port": ("attack", True, True),
        "another-proxy": ("attack", True, True),
        "as-json": ("harmless", True, False),
        "probe-deleted": ("harmless", True, False),
    }
    assert VerifyResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_an_operator_that_is_refused_is_no_success(cluster: ClusterInfo) -> None:
    nothing = Thing(CLUSTERIP.namespace, "Service", "nowhere", {})
    operator = Operator("absurd", "…", lambda site: [Blow("", ("nowhere",), editing(nothing, put(("spec", "a"), 1)))])
    attack = Attack(operator, *operator.strikes(Site(CLUSTERIP)))
    task = Task("attack", attack.name, None, "fail", operator="absurd", run=attack)
    (attempt,) = verify([CLUSTERIP], cluster, make=lambda _: [task]).attempts
    assert (attempt.got, attempt.sound, attempt.named) == ("impossible", False, False)
    assert "nowhere" in attempt.output


def test_nothing_stays_behind(cluster: ClusterInfo, ground: KubeApi) -> None:
    only = ("ingress", "autoscaler", "exposed-from-elsewhere", "service-going", "workload-going", "probe-replaced")
    result = verify([CLUSTERIP], cluster, only=only, make=attack_tasks)
    assert {item.operator for item in result.attempts} == set(only)
    namespace = CLUSTERIP.namespace
    assert ground.list("ingresses", namespace) == []
    assert ground.get(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")["items"] == []
    assert [name_of(item) for item in ground.list("services", "default") if "door" in name_of(item)] == []
    assert [name_of(item) for item in ground.list("endpointslices", "default") if "door" in name_of(item)] == []
    for plural in ("services", "deployments"):
        assert not any(FINALIZER in (item["metadata"].get("finalizers") or ()) for item in ground.list(plural))
    probe = ground.read("pods", PROBE_POD, namespace)
    assert probe is not None
    assert len(probe["spec"]["containers"]) == 1


def test_slices_by_hand_hold_the_pods_of_today_and_no_controller_keeps_them(
    cluster: ClusterInfo, ground: KubeApi
) -> None:
    doing("hand-made-slices", ground, cluster)
    service = ground.read("services", "backend-service", CLUSTERIP.namespace)
    assert service is not None
    assert not service["spec"].get("selector")
    (made,) = ground.list("endpointslices", CLUSTERIP.namespace)
    pods = {pod["status"]["podIP"] for pod in ground.list("pods", CLUSTERIP.namespace, labels="app=backend")}
    assert {address for item in made["endpoints"] for address in item["addresses"]} == pods
    assert made["ports"][0]["port"] == 8080


def test_a_generated_label_is_that_of_the_pods(cluster: ClusterInfo, ground: KubeApi) -> None:
    doing("generated-label", ground, cluster)
    service = ground.read("services", "backend-service", CLUSTERIP.namespace)
    pods = ground.list("pods", CLUSTERIP.namespace, labels="app=backend")
    assert service is not None
    hashes = {pod["metadata"]["labels"]["pod-template-hash"] for pod in pods}
    assert hashes == {service["spec"]["selector"]["pod-template-hash"]}


def test_a_pod_that_is_relabelled_is_named(cluster: ClusterInfo, ground: KubeApi) -> None:
    hands = doing("relabelled", ground, cluster)
    selected = [name_of(pod) for pod in ground.list("pods", CLUSTERIP.namespace, labels="app=backend")]
    assert hands.names[0] in selected
    assert hands.names[0].startswith("batch-")


def test_kinds_that_are_not_served_are_found_out(api: KubeApi) -> None:
    group = api.get("/api/v1")["resources"]
    served = {item["kind"] for item in group}
    assert ("v1/ResourceQuota" in unserved(api)) == ("ResourceQuota" not in served)
    assert "autoscaling/v2/HorizontalPodAutoscaler" not in unserved(api)


def test_the_cluster_is_put_back(cluster: ClusterInfo, api: KubeApi) -> None:
    def state() -> dict[str, Any]:
        nodes = {
            name_of(node): (node["metadata"]["labels"].get(ZONE), node["spec"].get("taints"), _cordoned(node))
            for node in api.list("nodes")
        }
        core = api.read("configmaps", "coredns", "kube-system")
        assert core is not None
        probes = {
            name_of(pod): (is_ready(pod), len(pod["spec"]["containers"])) for pod in api.list("pods", PROBE_NAMESPACE)
        }
        return {"nodes": nodes, "corefile": core["data"], "probes": probes}

    before = state()
    result = attack_cluster([CLUSTERIP, exercises.load("externalname")], cluster)
    assert state() == before
    made = {(item.exercise, item.operator) for item in result.attempts}
    there = {shock.name for shock in SHOCKS} - {"kube-proxy-reconfigured"}
    assert {(exercise, name) for exercise in ("clusterip", "externalname") for name in there} <= made
    assert all(item.names for item in result.attempts)
    assert api.read("namespaces", "externalname") is None


def _cordoned(node: dict[str, Any]) -> bool:
    return bool(node["spec"].get("unschedulable"))


# -- Pods made anew ---------------------------------------------------------------------------------------------------


def test_every_pod_is_made_anew_and_as_many_are_ready(cluster: ClusterInfo, ground: KubeApi) -> None:
    def pods() -> dict[str, bool]:
        return {uid_of(pod): is_ready(pod) for pod in ground.list("pods", CLUSTERIP.namespace)}

    before = pods()
    renew(ground, CLUSTERIP)
    after = pods()
    assert not set(before) & set(after)
    assert sorted(after.values()) == sorted(before.values())


def test_what_follows_nothing_does_not_outlive_its_pods(cluster: ClusterInfo, ground: KubeApi) -> None:
    hands = doing("hand-made-slices", ground, cluster)
    renew(ground, CLUSTERIP)
    (made,) = ground.list("endpointslices", CLUSTERIP.namespace)
    pods = {pod["status"]["podIP"] for pod in hands.pods({"app": "backend"})}
    assert not {address for item in made["endpoints"] for address in item["addresses"]} & pods


def test_answers_pass_again_and_a_node_is_taken_back(cluster: ClusterInfo, api: KubeApi) -> None:
    assert verify([CLUSTERIP], cluster, only=("reference",), make=renewals).sound
    result = drain([CLUSTERIP, exercises.load("external-endpoints")], cluster)
    assert [(item.exercise, item.name, item.got) for item in result.attempts] == [("clusterip", "node-drained", "pass")]
    assert not any(map(_cordoned, api.list("nodes")))


def test_an_answer_that_does_not_pass_is_not_made_anew(cluster: ClusterInfo, api: KubeApi) -> None:
    wrong = next(item for item in CLUSTERIP.wrong if item.name == "selector-typo")
    swapped = replace(CLUSTERIP, answers=(replace(CLUSTERIP.answers[0], text=wrong.text),))
    (attempt,) = verify([swapped], cluster, make=renewals).attempts
    assert (attempt.got, attempt.sound) == ("fail", False)


def test_an_exercise_that_is_exempt_says_why_and_is_left_out() -> None:
    exempt = exercises.load("external-endpoints")
    assert exempt.renewed_exempt
    assert renewals(exempt) == ()
    assert len(renewals(CLUSTERIP)) == len(CLUSTERIP.answers)
