"""The record of the ground is written and read back, and the cluster's own ground is given back as recorded."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.kube.client import KubeApi
from grader.kube.ground import (
    CLUSTER_RECORD,
    joined,
    read_record,
    record_cluster,
    record_name,
    resources_of,
    restore_cluster,
    write_record,
)
from grader.model.ground import Change, Given, Ground, Laid
from tests.kube.fake_api import FakeApi, serving, status

RECORDS = "/api/v1/namespaces/course-probe/configmaps"
COREDNS = "/api/v1/namespaces/kube-system/configmaps/coredns"
WORKER = "/api/v1/nodes/worker"
WEB = Laid(Given("shop", "Deployment", "web"), "u", {"spec": {"replicas": 2}}, ("spec.clusterIP",))
GROUND = Ground((WEB,), "digest", (Change(WEB.what, "spec.replicas", 2, None),))


@pytest.fixture
def server() -> FakeApi:
    made = FakeApi()
    made.put(COREDNS, {"metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": "."}})
    labels = {"topology.kubernetes.io/zone": "a", "plain": "x"}
    made.put(WORKER, {"metadata": {"name": "worker", "uid": "n", "labels": labels}, "spec": {"podCIDR": "c"}})
    return made


@pytest.fixture
def api(server: FakeApi, tmp_path: Path) -> Iterator[KubeApi]:
    with serving(server, tmp_path) as path, KubeApi(path) as client:
        yield client


def patched(server: FakeApi) -> dict[str, Any]:
    """What was sent to mend the cluster, by path."""
    return {path: body for used, path, _, body in server.requests if used == "PATCH" and not path.startswith(RECORDS)}


def test_what_is_written_is_read_again(api: KubeApi, server: FakeApi) -> None:
    write_record(api, record_name("shop"), GROUND)
    assert list(server.objects)[-1] == f"{RECORDS}/ground-shop"
    assert read_record(api, record_name("shop")) == GROUND


def test_where_nothing_was_written_there_is_no_record(api: KubeApi) -> None:
    assert read_record(api, record_name("shop")) is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"other.json": "{}"},
        {"ground.json": "no JSON"},
        {"ground.json": "[]"},
        {"ground.json": "{}"},
        {"ground.json": json.dumps({"laid": [{"what": {}}], "given": "", "told": []})},
        {"ground.json": json.dumps({"laid": [], "given": "", "told": [{"what": {"kind": "x"}}]})},
    ],
)
def test_what_is_not_of_our_writing_is_no_record(api: KubeApi, server: FakeApi, data: dict[str, str]) -> None:
    server.put(f"{RECORDS}/ground-shop", {"metadata": {"name": "ground-shop"}, "data": data})
    assert read_record(api, "ground-shop") is None


def test_a_record_that_a_shared_cluster_hides_is_none(api: KubeApi, server: FakeApi) -> None:
    server.replies[f"{RECORDS}/ground-shop"] = (403, status("Forbidden", "not for you"))
    assert read_record(api, "ground-shop") is None


def test_the_clusters_ground_is_part_of_an_exercises() -> None:
    node = Laid(Given("", "Node", "worker"), "n", {})
    assert joined(GROUND, Ground((node,))) == Ground((WEB, node), "digest", GROUND.told)
    assert joined(GROUND, None) == GROUND
    assert joined(None, Ground((node,))) is None
    assert resources_of(Ground((WEB, WEB, node))) == (("deployments", "shop"), ("nodes", ""))


def test_the_clusters_ground_is_recorded_once(api: KubeApi, server: FakeApi) -> None:
    first = record_cluster(api)
    assert {item.what for item in first.laid} == {
        Given("", "Node", "worker"),
        Given("kube-system", "ConfigMap", "coredns"),
    }
    server.objects[WORKER]["metadata"]["labels"] = {}
    assert record_cluster(api) == first == read_record(api, CLUSTER_RECORD)


def test_a_cluster_that_is_as_recorded_or_was_never_recorded_is_left_alone(api: KubeApi, server: FakeApi) -> None:
    assert restore_cluster(api) == ()
    record_cluster(api)
    server.objects[WORKER]["metadata"]["labels"]["harmless"] = "x"
    assert restore_cluster(api) == ()
    assert patched(server) == {}


def merged(target: Any, patch: Any) -> Any:
    """Apply a merge patch, as RFC 7396 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def test_what_was_changed_is_given_back_by_one_patch_an_object(api: KubeApi, server: FakeApi) -> None:
    record_cluster(api)
    before = copy.deepcopy(server.objects)
    worker = server.objects[WORKER]
    worker["metadata"]["labels"] = {"topology.kubernetes.io/zone": "b", "service.kubernetes.io/more": ""}
    worker["metadata"]["annotations"] = {"metallb.io/x": "y"}
    worker["spec"] |= {"unschedulable": True, "taints": [{"key": "mine", "effect": "NoExecute"}]}
    server.objects[COREDNS]["data"] = {"Corefile": "other", "more": "x"}
    found = restore_cluster(api)
    assert {(item.what.name, item.field) for item in found} == {
        ("worker", "metadata.labels.plain"),
        ("worker", "metadata.labels.service.kubernetes.io/more"),
        ("worker", "metadata.labels.topology.kubernetes.io/zone"),
        ("worker", "metadata.annotations.metallb.io/x"),
        ("worker", "spec.taints"),
        ("worker", "spec.unschedulable"),
        ("coredns", "data.Corefile"),
        ("coredns", "data.more"),
    }
    sent = patched(server)
    assert set(sent) == {WORKER, COREDNS}
    mended = merged(worker, sent[WORKER])
    assert mended["metadata"]["labels"] == before[WORKER]["metadata"]["labels"]
    assert mended["metadata"]["annotations"] == {}
    assert mended["spec"] == {"podCIDR": "c", "taints": [], "unschedulable": False}  # the rest is the cluster's
    again = {"metadata": {}, "data": {"Corefile": "other", "more": "x"}}
    assert merged(again, sent[COREDNS])["data"] == {"Corefile": "."}


def test_a_node_that_is_gone_is_not_made(api: KubeApi, server: FakeApi) -> None:
    record_cluster(api)
    del server.objects[WORKER]
    assert restore_cluster(api) == ()
    assert patched(server) == {}
