"""`kubectl explain` speaks the words of the installed client, and the repository carries none of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from grader.embedded.core.api.describe import openapi, prose
from grader.embedded.core.api.schema import types as schema
from grader.embedded.server import prose as server_prose


def described(node: object) -> bool:
    if isinstance(node, dict):
        return any((key == "description" and isinstance(value, str)) or described(value) for key, value in node.items())
    return isinstance(node, list) and any(map(described, node))


def test_the_carried_schemas_hold_no_prose() -> None:
    assert not described(dict(schema.definitions()))


def test_kinds_of_one_name_in_two_groups_are_told_apart() -> None:
    assert prose.class_names("io.k8s.api.discovery.v1.EndpointPort") == ("DiscoveryV1EndpointPort", "V1EndpointPort")


def test_descriptions_are_made_once_and_put_into_the_documents(tmp_path: Path) -> None:
    path = tmp_path / "prose.json"
    words = asyncio.run(server_prose.load(path))
    assert words == json.loads(path.read_text("utf-8"))
    try:
        openapi.speak(words)
        document = json.loads(openapi.document("api/v1") or b"")
        spec = document["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"]
        assert "attributes" in spec["description"]
        assert "selector" in spec["properties"]["selector"]["description"]
    finally:
        openapi.speak({})


def test_a_broken_cache_leaves_explain_without_words(tmp_path: Path) -> None:
    path = tmp_path / "prose.json"
    path.write_text("{")
    assert asyncio.run(server_prose.load(path)) == {}
