"""DaemonSets as the API takes and refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import TABLE, Api, deployment

DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
GENERATION = "deprecated.daemonset.template.generation"
Tree = dict[str, Any]


def daemon_set(**spec: Any) -> Tree:
    body = {**deployment("web"), "kind": "DaemonSet"}
    return {**body, "spec": {**{k: v for k, v in body["spec"].items() if k != "replicas"}, **spec}}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
        ({"selector": {}}, "spec.selector: Invalid value: {}: empty selector is invalid for daemonset"),
        (
            {"updateStrategy": {"type": "Recreate"}},
            'spec.updateStrategy: Unsupported value: {"Type":"Recreate","RollingUpdate":null}: supported values: '
            '"RollingUpdate", "OnDelete"',
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}},
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
            "non-zero",
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "200%"}}},
            'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
        ),
        ({"minReadySeconds": -1}, "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"),
    ],
)
def test_what_is_no_daemon_set_is_refused(api: Api, spec: Tree, told: str) -> None:
    code, body = api.call("POST", DAEMON_SETS, daemon_set(**spec))
    assert code == 422
    assert body["message"] == f'DaemonSet.apps "web" is invalid: {told}'


def test_the_selector_of_a_daemon_set_stays(api: Api) -> None:
    api.create(DAEMON_SETS, daemon_set())
    patch = {"spec": {"selector": {"matchLabels": {"app": "web", "tier": "x"}}}}
    code, body = api.call("PATCH", f"{DAEMON_SETS}/web", patch, kind="application/merge-patch+json")
    assert code == 422
    assert "spec.selector: Invalid value" in body["message"]
    assert "field is immutable" in body["message"]


def test_the_generation_of_the_template_follows_the_template_alone(api: Api) -> None:
    assert api.create(DAEMON_SETS, daemon_set())["metadata"]["annotations"] == {GENERATION: "1"}
    changed = api.patch(f"{DAEMON_SETS}/web", {"spec": {"minReadySeconds": 3}})
    assert (changed["metadata"]["generation"], changed["metadata"]["annotations"][GENERATION]) == (2, "1")
    template = {"metadata": {"annotations": {"a": "b"}}}
    changed = api.patch(f"{DAEMON_SETS}/web", {"spec": {"template": template}})
    assert (changed["metadata"]["generation"], changed["metadata"]["annotations"][GENERATION]) == (3, "2")
    changed = api.patch(f"{DAEMON_SETS}/web", {"metadata": {"annotations": {GENERATION: "77"}}})
    assert changed["metadata"]["annotations"][GENERATION] == "2"


def test_a_table_of_daemon_sets_tells_how_many_there_should_be(api: Api) -> None:
    api.create(DAEMON_SETS, daemon_set())
    table = api.get(DAEMON_SETS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age", "Containers",
        "Images", "Selector",
    ]  # fmt: skip
    assert table["rows"][0]["cells"][:7] == ["web", 0, 0, 0, 0, 0, "<none>"]
