"""Changes of a real embedded cluster, as a watch tells them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.kube.client import KubeApi
from grader.kube.watching import Watch

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "watched", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}
PATIENCE = 30.0


@pytest.fixture
def kubeconfig(cluster_home: Path) -> Path:
    return cluster_home / "clusters" / "services-course" / "kubeconfig"


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[KubeApi]:
    with KubeApi(kubeconfig) as client:
        yield client
        client.delete("services", "watched", "default")


def watching(kubeconfig: Path) -> Watch:
    """Watch the Services of `default`, but for that of the API server."""
    return Watch(
        kubeconfig, [("services", "default")], leaving_out=lambda item: item["metadata"]["name"] == "kubernetes"
    )


def versions(api: KubeApi) -> list[tuple[str, str]]:
    found = (item["metadata"] for item in api.list("services", "default"))
    return [(item["uid"], item["resourceVersion"]) for item in found]


def test_what_is_made_and_deleted_is_told_until_it_was_seen(kubeconfig: Path, api: KubeApi) -> None:
    with watching(kubeconfig) as watch:
        api.create(SERVICE)
        assert watch.changes.wait(PATIENCE)
        watch.seen({}, versions(api))
        assert not watch.changes.is_set()
        api.delete("services", "watched", "default")
        assert watch.changes.wait(PATIENCE)
        assert list(watch.changed().values()) == [""]
        watch.seen({}, versions(api))
        assert not watch.changed()


def test_a_change_after_the_look_is_told_although_the_object_was_seen(kubeconfig: Path, api: KubeApi) -> None:
    api.create(SERVICE)
    before = versions(api)
    with watching(kubeconfig) as watch:
        api.patch("/api/v1/namespaces/default/services/watched", {"metadata": {"labels": {"a": "b"}}})
        assert watch.changes.wait(PATIENCE)
        watch.seen({}, before)
        assert watch.changes.wait(PATIENCE)
        watch.seen({}, versions(api))
        assert not watch.changed()


def test_what_no_look_lists_is_told_once(kubeconfig: Path, api: KubeApi) -> None:
    api.create(SERVICE)
    with watching(kubeconfig) as watch:
        assert watch.changes.wait(PATIENCE)
        watch.seen(watch.changed(), ())
        assert not watch.changed()


def test_at_the_end_its_threads_go(kubeconfig: Path, api: KubeApi) -> None:
    with watching(kubeconfig) as watch:
        api.create(SERVICE)
        assert watch.changes.wait(PATIENCE)
        threads = [item for item in threading.enumerate() if item.name == "watch-services"]
        assert threads
    for item in threads:
        item.join(PATIENCE)
        assert not item.is_alive()
