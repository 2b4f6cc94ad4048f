import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader import exercises
from grader.model.exercise import Exercise, Form
from grader.workflow.handin.submit import _placed, clean, kinds_in


def live(applied: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A Service as an API server keeps it."""
    annotations = {"team": "blue"}
    if applied is not None:
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps(applied)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "clusterip", "uid": "u", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-11-22T00:00:00Z", "labels": {"app": "web"}, "annotations": annotations,
            "managedFields": [],
        },
        "spec": {
            "clusterIP": "10.96.1.2", "clusterIPs": ["10.96.1.2"], "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
            "type": "ClusterIP", "selector": {"app": "web"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}], **spec,
        },
        "status": {"loadBalancer": {}},
    }  # fmt: skip


def test_only_what_the_author_decided_is_left() -> None:
    assert clean(live()) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"team": "blue"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def test_a_headless_service_stays_headless() -> None:
    assert clean(live(clusterIP="None", clusterIPs=["None"]))["spec"]["clusterIP"] == "None"


def test_a_node_port_that_was_asked_for_stays_and_one_that_was_allocated_goes() -> None:
    ports = [{"port": 80, "nodePort": 30080}, {"port": 81, "nodePort": 31999}]
    applied = {"spec": {"ports": [{"port": 80, "nodePort": 30080}, {"port": 81}]}}
    kept = clean(live(applied, type="NodePort", ports=ports))["spec"]
    assert kept["type"] == "NodePort"
    assert kept["ports"] == [{"port": 80, "nodePort": 30080}, {"port": 81}]


def test_a_node_port_stays_where_nothing_tells_who_chose_it() -> None:
    ports = [{"port": 80, "nodePort": 30080}]
    assert clean(live(type="NodePort", ports=ports))["spec"]["ports"] == ports


@pytest.mark.parametrize(
    ("key", "chosen"), [("sessionAffinity", "ClientIP"), ("internalTrafficPolicy", "Local"), ("type", "LoadBalancer")]
)
def test_what_differs_from_the_default_stays(key: str, chosen: str) -> None:
    assert clean(live(**{key: chosen}))["spec"][key] == chosen


@pytest.mark.parametrize("exercise", exercises.all_exercises(), ids=lambda exercise: exercise.id)
def test_what_an_answer_changes_may_be_handed_in(exercise: Exercise) -> None:
    for answer in exercise.answers:
        for item in yaml.safe_load_all(answer.text) if answer.form is Form.MANIFEST else ():
            namespace = item["metadata"].get("namespace") or exercise.namespace
            assert item["kind"] in kinds_in(exercise, namespace), f"{answer.name}: {namespace}/{item['kind']}"


@given(st.dictionaries(st.sampled_from(["sessionAffinity", "type", "clusterIP"]), st.sampled_from(["None", "x"])))
def test_cleaning_twice_changes_nothing_more(spec: dict[str, Any]) -> None:
    once = clean(live(**spec))
    assert clean(once) == once


def test_an_address_that_the_given_service_names_is_told_as_it_is_now() -> None:
    exercise = exercises.load("type-change")
    lost = live(clusterIP="10.96.7.7", clusterIPs=["10.96.7.7"], type="ClusterIP")
    lost["metadata"] |= {"name": "tank-monitor", "namespace": exercise.namespace}
    assert _placed(lost, exercise)["spec"]["clusterIP"] == "10.96.7.7"
    lost["metadata"]["name"] = "mine"
    assert "clusterIP" not in _placed(lost, exercise)["spec"]
