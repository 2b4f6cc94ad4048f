"""StatefulSets and ControllerRevisions as the API takes and refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import TABLE, Api, deployment

STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"
REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions"
Tree = dict[str, Any]


def stateful_set(name: str = "web", **spec: Any) -> Tree:
    body = {**deployment(name), "kind": "StatefulSet"}
    return {**body, "spec": {**body["spec"], "serviceName": "peers", **spec}}


def refusal(api: Api, obj: Tree) -> str:
    code, body = api.call("POST", STATEFUL_SETS, obj)
    assert code == 422, body
    return str(body["message"]).partition(" is invalid: ")[2]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"podManagementPolicy": "Sideways"},
            "spec.podManagementPolicy: Invalid value: \"Sideways\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: '
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}},
            'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: '
            '"Retain", "Delete"',
        ),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            {"ordinals": {"start": -1}},
            "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
    ],
)
def test_what_is_no_stateful_set_is_refused(api: Api, spec: Tree, told: str) -> None:
    assert refusal(api, stateful_set(**spec)) == told


def test_a_service_name_is_a_dns_label(api: Api) -> None:
    assert refusal(api, stateful_set(serviceName="a.b")).startswith('spec.serviceName: Invalid value: "a.b": ')


def test_the_name_of_a_stateful_set_is_a_dns_label(api: Api) -> None:
    assert refusal(api, stateful_set("web.one")).startswith('metadata.name: Invalid value: "web.one": ')


def test_claim_templates_are_completed_and_validated(api: Api) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    told = refusal(api, stateful_set(volumeClaimTemplates=[claim]))
    assert told == "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}  # type: ignore[index]
    container = {"name": "c", "image": "nginx", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    made = stateful_set(volumeClaimTemplates=[claim])
    made["spec"]["template"]["spec"]["containers"] = [container]
    (held,) = api.create(STATEFUL_SETS, made)["spec"]["volumeClaimTemplates"]
    assert (held["kind"], held["spec"]["volumeMode"]) == ("PersistentVolumeClaim", "Filesystem")
    assert held["status"] == {"phase": "Pending"}


def test_only_some_fields_of_a_stateful_set_may_change(api: Api) -> None:
    api.create(STATEFUL_SETS, stateful_set())
    kept = api.patch(f"{STATEFUL_SETS}/web", {"spec": {"replicas": 3, "minReadySeconds": 5, "ordinals": {"start": 1}}})
    assert kept["metadata"]["generation"] == 2
    patch = {"spec": {"serviceName": "other"}}
    code, body = api.call("PATCH", f"{STATEFUL_SETS}/web", patch, kind="application/merge-patch+json")
    assert code == 422
    assert body["details"]["causes"][0]["field"] == "spec"
    assert body["details"]["causes"][0]["message"].startswith("Forbidden: updates to statefulset spec for fields other")


def test_an_explicit_strategy_gets_no_partition_of_its_own(api: Api) -> None:
    assert api.create(STATEFUL_SETS, stateful_set(updateStrategy={"type": "RollingUpdate"}))["spec"][
        "updateStrategy"
    ] == {"type": "RollingUpdate"}


def test_a_feature_that_is_off_leaves_no_trace(api: Api) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    created = api.create(STATEFUL_SETS, stateful_set(updateStrategy=strategy))
    assert created["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_a_stateful_set_is_scaled_through_its_subresource(api: Api) -> None:
    api.create(STATEFUL_SETS, stateful_set())
    scale = api.get(f"{STATEFUL_SETS}/web/scale")
    assert scale["status"]["selector"] == "app=web"
    api.patch(f"{STATEFUL_SETS}/web/scale", {"spec": {"replicas": 4}}, kind="merge-patch+json")
    assert api.get(f"{STATEFUL_SETS}/web")["spec"]["replicas"] == 4


def test_a_table_of_stateful_sets_tells_how_many_are_ready(api: Api) -> None:
    api.create(STATEFUL_SETS, stateful_set(replicas=2))
    table = api.get(STATEFUL_SETS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Ready", "Age", "Containers", "Images"]
    assert table["rows"][0]["cells"][:2] == ["web", "0/2"]


def test_the_data_of_a_revision_stays(api: Api) -> None:
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "web-1"}, "revision": 1}
    code, body = api.call("POST", REVISIONS, revision)
    assert (code, body["details"]["causes"][0]["message"]) == (422, "Required value: data is mandatory")
    api.create(REVISIONS, {**revision, "data": {"spec": {}}})
    api.patch(f"{REVISIONS}/web-1", {"revision": 2}, kind="merge-patch+json")
    code, body = api.call(
        "PATCH", f"{REVISIONS}/web-1", {"data": {"spec": {"a": 1}}}, kind="application/merge-patch+json"
    )
    assert code == 422
    assert "field is immutable" in body["message"]
