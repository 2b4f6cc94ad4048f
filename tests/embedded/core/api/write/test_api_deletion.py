from typing import Any

import pytest

from grader.embedded.core.store import Obj
from tests.embedded.core.api.api_client import DEPLOYMENTS, PODS, SERVICES, Api, deployment, pod, service


def scheduled(api: Api, **spec: Any) -> Obj:
    api.create(PODS, pod(**spec))
    held = api.store.get("pods", "default", "p")
    assert held is not None
    return api.store.update("pods", {**held, "spec": {**held["spec"], "nodeName": "n"}})


def test_a_running_pod_is_marked_and_left_to_the_kubelet(api: Api) -> None:
    scheduled(api)
    code, body = api.call("DELETE", f"{PODS}/p")
    assert code == 200
    assert body["metadata"]["deletionGracePeriodSeconds"] == 30
    left = api.store.get("pods", "default", "p")
    assert left is not None and left["metadata"]["deletionTimestamp"] == "2026-09-21T14:13:50Z"


@pytest.mark.parametrize("options", [{"body": {"gracePeriodSeconds": 0}}, {"query": [("gracePeriodSeconds", "0")]}])
def test_without_grace_a_pod_goes_at_once(api: Api, options: dict[str, Any]) -> None:
    scheduled(api)
    assert api.call("DELETE", f"{PODS}/p", **options)[0] == 200
    assert api.store.get("pods", "default", "p") is None


def test_a_pod_that_never_ran_goes_at_once(api: Api) -> None:
    api.create(PODS, pod())
    api.call("DELETE", f"{PODS}/p")
    assert api.store.get("pods", "default", "p") is None


def test_a_second_deletion_can_only_shorten_the_grace(api: Api) -> None:
    scheduled(api, terminationGracePeriodSeconds=20)
    api.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 5})
    api.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 9})
    left = api.store.get("pods", "default", "p")
    assert left is not None and left["metadata"]["deletionGracePeriodSeconds"] == 5


def test_finalizers_keep_an_object_until_the_last_is_gone(api: Api) -> None:
    obj = service()
    obj["metadata"]["finalizers"] = ["example.com/a"]
    api.create(SERVICES, obj)
    assert api.call("DELETE", f"{SERVICES}/web")[1]["metadata"]["deletionTimestamp"]
    code, body = api.call("POST", SERVICES, service())
    assert (code, body["message"]) == (409, 'object is being deleted: services "web" already exists')
    api.patch(f"{SERVICES}/web", {"metadata": {"finalizers": None}}, "merge-patch+json")
    assert api.store.get("services", "default", "web") is None


def test_a_finalizer_of_ones_own_is_named_after_a_domain(api: Api) -> None:
    obj = service()
    obj["metadata"]["finalizers"] = ["orphan", "plain"]
    code, body = api.call("POST", SERVICES, obj)
    assert (code, body["details"]["causes"][0]["field"]) == (422, "metadata.finalizers[1]")


def test_a_namespace_is_terminating_and_takes_nothing_new(api: Api) -> None:
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    code, body = api.call("DELETE", "/api/v1/namespaces/n")
    assert (code, body["status"]["phase"]) == (200, "Terminating")
    code, body = api.call("POST", "/api/v1/namespaces/n/services", service())
    assert (code, body["reason"]) == (403, "Forbidden")
    assert body["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def test_the_default_namespace_stays(api: Api) -> None:
    assert api.call("DELETE", "/api/v1/namespaces/default")[0] == 403


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_propagation_is_left_to_the_garbage_collector(api: Api, policy: str, finalizer: str) -> None:
    api.create(DEPLOYMENTS, deployment())
    api.call("DELETE", f"{DEPLOYMENTS}/d", {"propagationPolicy": policy})
    left = api.store.get("deployments", "default", "d")
    assert left is not None and left["metadata"]["finalizers"] == [finalizer]


def test_preconditions_guard_against_the_wrong_object(api: Api) -> None:
    api.create(SERVICES, service())
    code, body = api.call("DELETE", f"{SERVICES}/web", {"preconditions": {"uid": "other"}})
    assert (code, body["reason"]) == (409, "Conflict")
    assert api.store.get("services", "default", "web") is not None


def test_a_dry_run_deletes_nothing(api: Api) -> None:
    api.create(SERVICES, service())
    assert api.call("DELETE", f"{SERVICES}/web", query=[("dryRun", "All")])[0] == 200
    assert api.store.get("services", "default", "web") is not None


def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        obj = service(name)
        obj["metadata"]["labels"] = {"l": label}
        api.create(SERVICES, obj)
    code, body = api.call("DELETE", SERVICES, query=[("labelSelector", "l=x")])
    assert (code, len(body["items"])) == (200, 2)
    assert [obj["metadata"]["name"] for obj in api.store.list("services")] == ["c"]


def test_the_endpoints_object_goes_with_its_service(api: Api) -> None:
    api.create(SERVICES, service())
    api.create(
        "/api/v1/namespaces/default/endpoints", {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"}}
    )
    api.call("DELETE", f"{SERVICES}/web")
    assert api.store.get("endpoints", "default", "web") is None
