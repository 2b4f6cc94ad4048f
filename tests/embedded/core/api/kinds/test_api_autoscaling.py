"""autoscaling/v1 beside autoscaling/v2; what is compared with is what kind 1.36.3 answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.embedded.core.api.describe.openapi import document
from grader.embedded.core.api.kinds import autoscaling
from tests.embedded.core.api.api_client import TABLE, Api

V1, V2 = (f"/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers" for version in ("v1", "v2"))
REF = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
METRICS: list[dict[str, Any]] = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}},
    {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 60},
            "container": "c",
        },
    },
    {"type": "Pods", "pods": {"metric": {"name": "packets"}, "target": {"type": "AverageValue", "averageValue": "1k"}}},
    {
        "type": "Object",
        "object": {
            "describedObject": {"kind": "Ingress", "name": "main", "apiVersion": "networking.k8s.io/v1"},
            "target": {"type": "Value", "value": "10k"},
            "metric": {"name": "rps", "selector": {"matchLabels": {"x": "z"}}},
        },
    },
    {
        "type": "External",
        "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}},
    },
]
BEHAVIOR = {
    "scaleDown": {
        "stabilizationWindowSeconds": 60,
        "policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}],
    },
    "scaleUp": {"selectPolicy": "Disabled"},
}
SHOWN_BEHAVIOR = (
    '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Disabled","Policies":[{"Type":"Pods","Value":4,'
    '"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":'
    '{"StabilizationWindowSeconds":60,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":2,"PeriodSeconds":30}],'
    '"Tolerance":null}}'
)
SHOWN_METRICS = (
    '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"100Mi"}},{"type":"ContainerResource",'
    '"containerResource":{"name":"cpu","targetAverageUtilization":60,"container":"c"}},{"type":"Pods","pods":'
    '{"metricName":"packets","targetAverageValue":"1k"}},{"type":"Object","object":{"target":{"kind":"Ingress","name":'
    '"main","apiVersion":"networking.k8s.io/v1"},"metricName":"rps","targetValue":"10k","selector":{"matchLabels":'
    '{"x":"z"}}}},{"type":"External","external":{"metricName":"queue","targetAverageValue":"30"}}]'
)


def autoscaler(version: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "annotations": {"a": "b"}},
        "spec": {"scaleTargetRef": REF, "maxReplicas": 5, **spec},
    }


def test_v1_shows_what_it_has_no_field_for_in_annotations(api: Api) -> None:
    api.create(V2, autoscaler("v2", metrics=METRICS, behavior=BEHAVIOR))

    seen = api.get(f"{V1}/web")

    notes = seen["metadata"]["annotations"]
    assert seen["apiVersion"] == "autoscaling/v1"
    assert seen["spec"] == {
        "scaleTargetRef": REF,
        "minReplicas": 1,
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 70,
    }
    assert seen["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    assert notes["a"] == "b"
    assert notes["autoscaling.alpha.kubernetes.io/behavior"] == SHOWN_BEHAVIOR
    assert json.loads(notes["autoscaling.alpha.kubernetes.io/metrics"]) == json.loads(SHOWN_METRICS)


def test_what_went_through_v1_comes_back_whole(api: Api) -> None:
    made = api.create(V2, autoscaler("v2", metrics=METRICS, behavior=BEHAVIOR))
    seen = api.get(f"{V1}/web")
    code, _ = api.call("PUT", f"{V1}/web", seen)

    after = api.get(f"{V2}/web")

    assert code == 200
    assert after["metadata"]["annotations"] == {"a": "b"}
    assert after["spec"]["behavior"] == made["spec"]["behavior"]
    # the cpu metric that v1 has a field for goes to the end, as upstream appends it
    assert after["spec"]["metrics"] == [*METRICS[1:], METRICS[0]]


def test_conditions_and_current_metrics_travel_in_annotations() -> None:
    conditions = [{"type": "AbleToScale", "status": "True", "reason": "R", "message": "M"}]
    current: list[dict[str, Any]] = [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 9, "averageValue": "5m"}}},
        {"type": "Pods", "pods": {"metric": {"name": "p"}, "current": {"averageValue": "1"}}},
    ]
    status = {"currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": current, "conditions": conditions}
    obj = {**autoscaler("v2", metrics=METRICS[:1]), "status": status}

    seen = autoscaling.to_v1(obj)

    assert seen["status"] == {"currentReplicas": 2, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 9}
    assert autoscaling.from_v1(seen) == obj


@pytest.mark.parametrize(("percent", "stored"), [(None, 80), (50, 50)])
def test_v1_is_stored_as_v2(api: Api, percent: int | None, stored: int) -> None:
    asked = {} if percent is None else {"targetCPUUtilizationPercentage": percent}
    made = api.create(V1, autoscaler("v1", **asked))

    seen = api.get(f"{V2}/web")

    assert made["spec"]["targetCPUUtilizationPercentage"] == stored
    assert seen["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": stored}
    fields = seen["metadata"]["managedFields"][0]
    assert fields["apiVersion"] == "autoscaling/v1"
    assert fields["fieldsV1"]["f:spec"] == {
        "f:maxReplicas": {},
        "f:minReplicas": {},
        "f:scaleTargetRef": {},
        "f:targetCPUUtilizationPercentage": {},
    }


def test_v1_is_patched_applied_and_watched_in_its_own_fields(api: Api) -> None:
    api.create(V2, autoscaler("v2", metrics=METRICS[:1]))
    events = api.watch(V1)

    patched = api.patch(f"{V1}/web", {"spec": {"targetCPUUtilizationPercentage": 33}}, "merge-patch+json")
    applied = api.patch(
        f"{V1}/other",
        {**autoscaler("v1", targetCPUUtilizationPercentage=44), "metadata": {"name": "other"}},
        "apply-patch+yaml",
        query=[("fieldManager", "me")],
    )

    assert patched["spec"]["targetCPUUtilizationPercentage"] == 33
    assert applied["spec"]["targetCPUUtilizationPercentage"] == 44
    told = [event["object"] for event in events.take() if event["type"] != "BOOKMARK"]
    assert {item["apiVersion"] for item in told} == {"autoscaling/v1"}
    assert api.get(f"{V2}/other")["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 44


def test_a_body_of_the_other_version_is_refused(api: Api) -> None:
    code, answer = api.call("POST", V1, autoscaler("v2"))

    assert (code, answer["message"]) == (
        400,
        "the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)",
    )


def test_both_versions_are_discovered_and_v2_is_preferred(api: Api) -> None:
    group = api.get("/apis/autoscaling")

    assert [item["version"] for item in group["versions"]] == ["v2", "v1"]
    assert group["preferredVersion"]["version"] == "v2"
    hashes = {api.get(f"/apis/autoscaling/{v}")["resources"][0]["storageVersionHash"] for v in ("v1", "v2")}
    assert len(hashes) == 1  # both are one store
    content = json.loads(document("apis/autoscaling/v1") or b"")
    assert "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler" in content["components"]["schemas"]


def test_a_table_of_v1_has_the_columns_of_v2(api: Api) -> None:
    api.create(V1, autoscaler("v1", targetCPUUtilizationPercentage=50))

    first, second = (api.get(path, accept=TABLE)["rows"][0]["cells"][:6] for path in (V1, V2))

    assert first == second == ["web", "Deployment/web", "cpu: <unknown>/50%", "1", "5", "0"]
