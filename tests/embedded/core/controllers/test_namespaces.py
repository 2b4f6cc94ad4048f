"""Namespaces that end: what keeps them, told in their conditions."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.controllers.namespaces import remaining
from grader.embedded.core.objects import condition, with_metadata


def test_an_empty_namespace_has_nothing_to_tell() -> None:
    assert [(item["type"], item["status"], item["reason"]) for item in remaining([])] == [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions"),
        ("NamespaceDeletionContentFailure", "False", "ContentDeleted"),
        ("NamespaceContentRemaining", "False", "ContentRemoved"),
        ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers"),
    ]


def test_what_remains_is_counted_by_kind_and_by_finalizer() -> None:
    kept = {"metadata": {"finalizers": ["example.com/hold"]}}
    told = {item["type"]: item for item in remaining([("pods", {"metadata": {}}), ("deployments", kept)])}

    assert told["NamespaceContentRemaining"]["message"] == (
        "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 1 resource instances"
    )
    assert told["NamespaceFinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
    )


def test_a_namespace_that_is_kept_by_a_finalizer_says_so_until_it_is_gone(cluster: Any) -> None:
    cluster.namespace("end")
    cluster.settle()
    meta = {"name": "held", "namespace": "end", "finalizers": ["example.com/hold"]}
    cluster.store.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    namespace = cluster.store.get("namespaces", "", "end")
    cluster.store.update("namespaces", with_metadata(namespace, deletionTimestamp="2026-01-01T00:00:00Z"))
    cluster.settle()

    status = cluster.store.get("namespaces", "", "end")["status"]
    assert status["phase"] == "Terminating"
    found = condition(cluster.store.get("namespaces", "", "end"), "NamespaceContentRemaining")
    assert found is not None
    assert (found["status"], found["reason"]) == ("True", "SomeResourcesRemain")
    assert found["message"] == "Some resources are remaining: configmaps. has 1 resource instances"

    held = cluster.store.get("configmaps", "end", "held")
    cluster.store.delete("configmaps", "end", held["metadata"]["name"])
    cluster.settle()
    assert cluster.store.get("namespaces", "", "end") is None
