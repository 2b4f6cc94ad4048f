"""Kinds that are only read; answers are kind's (1.36.3)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core import bootstrap, nodes
from grader.embedded.core.api.http.messages import Response
from tests.embedded.core.api.api_client import PODS, TABLE, Api, pod

STATUSES = "/api/v1/componentstatuses"
WARNING = '299 - "v1 ComponentStatus is deprecated in v1.19+"'
HEALTHY = [{"type": "Healthy", "status": "True", "message": "ok"}]


def test_the_control_planes_parts_are_well_and_the_kind_is_deprecated(api: Api) -> None:
    answer = api.ask("GET", STATUSES)
    assert isinstance(answer, Response)
    assert dict(answer.headers)["warning"] == WARNING
    assert api.get(STATUSES) == {
        "kind": "ComponentStatusList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [
            {"metadata": {"name": name}, "conditions": HEALTHY}
            for name in ("controller-manager", "etcd-0", "scheduler")
        ],
    }


def test_one_of_them(api: Api) -> None:
    assert api.get(f"{STATUSES}/scheduler") == {
        "kind": "ComponentStatus",
        "apiVersion": "v1",
        "metadata": {"name": "scheduler"},
        "conditions": HEALTHY,
    }
    code, answer = api.call("GET", f"{STATUSES}/nope")
    assert (code, answer["message"]) == (404, 'componentstatus "nope" not found')


def test_their_table(api: Api) -> None:
    table = api.get(STATUSES, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Message", "Error"]
    assert table["rows"][1]["cells"] == ["etcd-0", "Healthy", "ok", ""]


@pytest.mark.parametrize(("method", "query"), [("GET", [("watch", "1")]), ("POST", []), ("DELETE", [])])
def test_they_are_neither_watched_nor_written(api: Api, method: str, query: Any) -> None:
    code, answer = api.call(method, STATUSES, query=query)
    assert code == 405
    if query:
        assert answer["message"] == 'watch is not supported on resources of kind "componentstatuses"'


def with_priority_classes() -> Api:
    """An API server of a cluster that has its PriorityClasses."""
    api = Api()
    for resource, obj in bootstrap.initial_objects(api.store, nodes.node_plans("x")):
        if resource == "priorityclasses":
            api.store.create(resource, obj)
    return api


def test_priority_classes_of_every_cluster_are_read_and_not_written() -> None:
    api = with_priority_classes()
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"

    rows = [row["cells"] for row in api.get(path, accept=TABLE)["rows"]]

    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("system-cluster-critical", 2000000000, False, "PreemptLowerPriority"),
        ("system-node-critical", 2000001000, False, "PreemptLowerPriority"),
    ]
    assert api.call("POST", path, {"kind": "PriorityClass"})[0] == 405
    assert api.call("DELETE", f"{path}/system-node-critical")[0] == 405


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
def test_a_priority_is_what_its_class_says(fields: dict[str, Any], why: str) -> None:
    api = with_priority_classes()
    code, answer = api.call("POST", PODS, pod(**fields))
    assert (code, answer["message"]) == (403, f'pods "p" is forbidden: {why}')
    made = api.create(PODS, pod(priorityClassName="system-node-critical"))["spec"]
    assert (made["priority"], made["preemptionPolicy"]) == (2000001000, "PreemptLowerPriority")
