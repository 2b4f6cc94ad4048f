from __future__ import annotations

import pytest

from grader.kube.resources import KNOWN, Resource, by_plural, discovered, known


def test_paths_follow_group_scope_and_name() -> None:
    assert by_plural("services").path() == "/api/v1/services"
    assert by_plural("services").path("n", "a b") == "/api/v1/namespaces/n/services/a%20b"
    assert by_plural("endpointslices").path("n") == "/apis/discovery.k8s.io/v1/namespaces/n/endpointslices"
    assert by_plural("nodes").path("ignored", "x") == "/api/v1/nodes/x"


def test_every_known_resource_is_found_by_plural_and_by_kind() -> None:
    for resource in KNOWN:
        assert by_plural(resource.plural) is resource
        assert known(resource.group_version, resource.kind) is resource


def test_an_unknown_plural_is_an_error_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        by_plural("things")


def test_subresources_are_not_taken_for_the_resource() -> None:
    document = {
        "groupVersion": "v1",
        "resources": [
            {"name": "things/status", "kind": "Thing", "namespaced": True},
            {"name": "things", "kind": "Thing", "namespaced": True},
        ],
    }
    assert discovered(document, "Thing") == Resource("v1", "things", "Thing", True)
    assert discovered(document, "Other") is None
