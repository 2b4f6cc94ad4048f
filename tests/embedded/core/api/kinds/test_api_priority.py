"""PriorityClasses, and the priority of Pods (1.36.3, plugin/pkg/admission/priority, pkg/apis/scheduling/validation)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core import bootstrap, nodes
from tests.embedded.core.api.api_client import PODS, TABLE, Api, pod

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


@pytest.fixture
def api() -> Api:
    """An API server of a cluster that has its PriorityClasses."""
    api = Api()
    for resource, obj in bootstrap.initial_objects(api.store, nodes.node_plans("x")):
        if resource == "priorityclasses":
            api.store.create(resource, obj)
    return api


def made(name: str = "high", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, **fields}


def test_every_cluster_has_the_systems_priority_classes(api: Api) -> None:
    rows = [row["cells"] for row in api.get(CLASSES, accept=TABLE)["rows"]]

    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("system-cluster-critical", 2000000000, False, "PreemptLowerPriority"),
        ("system-node-critical", 2000001000, False, "PreemptLowerPriority"),
    ]


def test_a_class_of_ones_own_is_made_changed_and_deleted(api: Api) -> None:
    held = api.create(CLASSES, made(value=1000, description="for the shop"))
    assert (held["value"], held["preemptionPolicy"], held["metadata"]["generation"]) == (
        1000, "PreemptLowerPriority", 1
    )  # fmt: skip
    changed = api.patch(f"{CLASSES}/high", {"description": "for all"})
    assert (changed["description"], changed["metadata"]["generation"]) == ("for all", 1)
    assert api.create(CLASSES, made("none"))["value"] == 0
    assert api.call("DELETE", f"{CLASSES}/high")[0] == 200


@pytest.mark.parametrize(
    ("obj", "cause"),
    [
        (made(value=1_000_000_001), "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        (
            made("system-mine", value=1),
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: system-mine is not a known system priority class",
        ),
        (
            made("system-node-critical", value=1),
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: value of system-node-critical PriorityClass must be 2000001000",
        ),
        (
            made(preemptionPolicy="Always"),
            'preemptionPolicy: Unsupported value: "Always": supported values: "Never", "PreemptLowerPriority"',
        ),
    ],
)
def test_a_class_that_may_not_be_is_refused(api: Api, obj: dict[str, Any], cause: str) -> None:
    code, answer = api.call("POST", CLASSES, obj)
    name = obj["metadata"]["name"]
    assert (code, answer["message"]) == (422, f'PriorityClass.scheduling.k8s.io "{name}" is invalid: {cause}')


def test_value_and_policy_of_a_class_stay_as_they_are(api: Api) -> None:
    api.create(CLASSES, made(value=5))
    body = {"value": 6, "preemptionPolicy": "Never"}
    code, answer = api.call("PATCH", f"{CLASSES}/high", body, kind="application/merge-patch+json")
    assert code == 422
    assert [cause["message"] for cause in answer["details"]["causes"]] == [
        "Forbidden: may not be changed in an update.",
        'Invalid value: "Never": field is immutable',
    ]


def test_only_one_class_is_the_default_and_pods_without_a_class_get_it(api: Api) -> None:
    api.create(CLASSES, made("usual", value=7, globalDefault=True, preemptionPolicy="Never"))
    for name in ("usual", "other"):
        code, answer = api.call("POST", CLASSES, made(name, globalDefault=True))
        assert (code, answer["message"]) == (
            403,
            f'priorityclasses.scheduling.k8s.io "{name}" is forbidden: PriorityClass usual is already marked as '
            "default. Only one default can exist",
        )
    spec = api.create(PODS, pod())["spec"]
    assert (spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"]) == ("usual", 7, "Never")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"priorityClassName": "nosuch"}, "no PriorityClass with name nosuch was found"),
        (
            {"priority": 7},
            "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed"
            " 0 from the given PriorityClass name",
        ),
        (
            {"preemptionPolicy": "Never"},
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission"
            " controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ],
)
def test_a_priority_is_what_its_class_says(api: Api, fields: dict[str, Any], why: str) -> None:
    code, answer = api.call("POST", PODS, pod(**fields))
    assert (code, answer["message"]) == (403, f'pods "p" is forbidden: {why}')
    spec = api.create(PODS, pod(priorityClassName="system-node-critical"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (2000001000, "PreemptLowerPriority")


def test_a_template_says_a_policy_that_there_is(api: Api) -> None:
    spec = {**pod()["spec"], "preemptionPolicy": "Always", "priorityClassName": "No_Name"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    body["spec"] = {"selector": {"matchLabels": {"app": "web"}}, "template": template}  # type: ignore[assignment]
    code, answer = api.call("POST", "/apis/apps/v1/namespaces/default/deployments", body)
    assert code == 422
    assert [cause["field"] for cause in answer["details"]["causes"]] == [
        "spec.template.spec.priorityClassName", "spec.template.spec.preemptionPolicy",
    ]  # fmt: skip
