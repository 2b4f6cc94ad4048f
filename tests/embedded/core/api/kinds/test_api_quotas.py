"""ResourceQuotas and LimitRanges: what is let in, in upstream's words, and what is filled in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import TABLE, Api, Tree

CORE = "/api/v1/namespaces/default/"


def quota(hard: dict[str, str], **spec: Any) -> Tree:
    metadata = {"name": "q", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard, **spec}}


def limits(**limit: Any) -> Tree:
    metadata = {"name": "l", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limit]}}


def service(name: str, type_: str = "ClusterIP", ports: int = 1, **spec: Any) -> Tree:
    listed = [{"name": f"p{number}", "port": 80 + number} for number in range(ports)]
    body = {"type": type_, "ports": listed, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def pod(name: str, requests: Tree | None = None, limits: Tree | None = None, **spec: Any) -> Tree:
    asked = {**({"requests": requests} if requests else {}), **({"limits": limits} if limits else {})}
    body = {"containers": [{"name": "web", "image": "nginx:1.29", "resources": asked}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def refused(api: Api, plural: str, obj: Tree) -> str:
    code, body = api.call("POST", CORE + plural, obj)
    assert code == 403, body
    prefix = f'{plural} "{obj["metadata"]["name"]}" is forbidden: '
    assert body["message"].startswith(prefix)
    return str(body["message"].removeprefix(prefix))


def test_services_are_counted_with_their_node_ports_and_load_balancers() -> None:
    api = Api()
    api.create(
        CORE + "resourcequotas", quota({"services": "3", "services.nodeports": "2", "services.loadbalancers": "0"})
    )
    api.create(CORE + "services", service("a", "NodePort"))
    told = (
        "exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=1, limited: services.nodeports=2"
    )
    assert refused(api, "services", service("b", "NodePort", 2)) == told
    assert refused(api, "services", service("b", "LoadBalancer")) == (
        "exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=0, "
        "limited: services.loadbalancers=0"
    )
    api.create(CORE + "services", service("b"))
    api.create(CORE + "services", service("c"))
    assert refused(api, "services", service("d")) == (
        "exceeded quota: q, requested: services=1, used: services=3, limited: services=3"
    )
    assert api.call("DELETE", CORE + "services/c")[0] == 200
    api.create(CORE + "services", service("d"))


def test_a_service_that_changes_its_type_is_counted_for_the_difference() -> None:
    api = Api()
    api.create(CORE + "resourcequotas", quota({"services": "1", "services.nodeports": "1"}))
    made = api.create(CORE + "services", service("a", ports=2))
    made["metadata"]["labels"] = {"x": "y"}
    assert api.call("PUT", CORE + "services/a", made)[0] == 200
    made["spec"]["type"] = "NodePort"
    made["metadata"].pop("resourceVersion")
    code, body = api.call("PUT", CORE + "services/a", made)
    assert (code, body["message"].split("exceeded")[1]) == (
        403,
        " quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1",
    )


def test_objects_of_any_kind_are_counted() -> None:
    api = Api()
    api.create(CORE + "resourcequotas", quota({"configmaps": "1", "count/secrets": "0"}))
    api.create(CORE + "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    refused(api, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})
    assert refused(api, "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}) == (
        "exceeded quota: q, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0"
    )


def test_pods_are_counted_with_what_they_ask_for_and_must_say_it() -> None:
    api = Api()
    hard = {"pods": "2", "requests.cpu": "500m", "limits.memory": "1Gi"}
    api.create(CORE + "resourcequotas", quota(hard))
    assert (
        refused(api, "pods", pod("a")) == "failed quota: q: must specify limits.memory for: web; requests.cpu for: web"
    )
    api.create(CORE + "pods", pod("a", {"cpu": "300m"}, {"memory": "512Mi"}))
    assert refused(api, "pods", pod("b", {"cpu": "300m"}, {"memory": "600Mi"})) == (
        "exceeded quota: q, requested: limits.memory=600Mi,requests.cpu=300m, "
        "used: limits.memory=512Mi,requests.cpu=300m, limited: limits.memory=1Gi,requests.cpu=500m"
    )
    api.create(CORE + "pods", pod("b", {"cpu": "0.2"}, {"memory": "512Mi"}))
    refused(api, "pods", pod("c", {"cpu": "0"}, {"memory": "0"}))


def test_a_scope_looks_at_its_own_pods_only() -> None:
    api = Api()
    api.create(CORE + "resourcequotas", quota({"pods": "0"}, scopes=["BestEffort"]))
    api.create(CORE + "pods", pod("a", {"cpu": "1m"}))
    refused(api, "pods", pod("b"))


@pytest.mark.parametrize(
    ("hard", "words"),
    [
        ({"cats": "1"}, "must be a standard resource for quota"),
        ({"pods": "-1"}, "must be greater than or equal to 0"),
        ({"services": "500m"}, "must be an integer"),
    ],
)
def test_a_quota_that_means_nothing_is_refused(hard: dict[str, str], words: str) -> None:
    code, body = Api().call("POST", CORE + "resourcequotas", quota(hard))
    assert code == 422
    assert words in body["message"]


def test_limits_are_filled_into_pods_and_told() -> None:
    api = Api()
    made = api.create(
        CORE + "limitranges", limits(type="Container", max={"cpu": "1"}, defaultRequest={"memory": "64Mi"})
    )
    assert made["spec"]["limits"][0]["default"] == {"cpu": "1"}
    assert made["spec"]["limits"][0]["defaultRequest"] == {"cpu": "1", "memory": "64Mi"}
    created = api.create(CORE + "pods", pod("a"))
    assert created["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "64Mi"},
        "limits": {"cpu": "1"},
    }
    assert created["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container web; cpu limit for container web"
    )
    assert created["status"]["qosClass"] == "Burstable"
    assert refused(api, "pods", pod("b", limits={"cpu": "2"})) == "maximum cpu usage per Container is 1, but limit is 2"


@pytest.mark.parametrize(
    ("limit", "asked", "words"),
    [
        (
            {"min": {"cpu": "1"}},
            ({"cpu": "100m"}, {"cpu": "1"}),
            "minimum cpu usage per Container is 1, but request is 100m",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            ({"cpu": "1"}, {"cpu": "3"}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            {"type": "Pod", "max": {"memory": "1Gi"}},
            ({}, {"memory": "2Gi"}),
            "maximum memory usage per Pod is 1Gi, but limit is 2Gi",
        ),
        ({"type": "Pod", "min": {"cpu": "1"}}, ({}, {}), "minimum cpu usage per Pod is 1.  No request is specified"),
    ],
)
def test_a_pod_outside_of_the_limits_is_refused(limit: Tree, asked: tuple[Tree, Tree], words: str) -> None:
    api = Api()
    api.create(CORE + "limitranges", limits(**{"type": "Container", **limit}))
    assert refused(api, "pods", pod("a", *asked)) == words


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"type": "Cat"}, "must be a standard limit type or fully qualified"),
        ({"type": "Pod", "default": {"cpu": "1"}}, "may not be specified when `type` is 'Pod'"),
        ({"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}, "min value 2 is greater than max value 1"),
    ],
)
def test_limits_that_contradict_themselves_are_refused(limit: Tree, words: str) -> None:
    code, body = Api().call("POST", CORE + "limitranges", limits(**limit))
    assert code == 422
    assert words in body["message"]


def test_quotas_are_shown_with_what_is_used() -> None:
    api = Api()
    api.create(CORE + "resourcequotas", quota({"pods": "2", "limits.cpu": "1"}))
    state = {"hard": {"pods": "2", "limits.cpu": "1"}, "used": {"pods": "1", "limits.cpu": "500m"}}
    live = api.get(CORE + "resourcequotas/q")
    assert api.call("PUT", CORE + "resourcequotas/q/status", {**live, "status": state})[0] == 200
    cells = api.get(CORE + "resourcequotas", accept=TABLE)["rows"][0]["cells"]
    assert cells[:3] == ["q", "pods: 1/2", "limits.cpu: 500m/1"]
