"""The types of Kubernetes 1.36: what fields there are, of which type, merged how.

The data file is built by tools/embedded_schema.py; it is read on first use (10 ms).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
GROUP_PACKAGES = {
    "": "core",
    "authentication.k8s.io": "authentication",
    "authorization.k8s.io": "authorization",
    "coordination.k8s.io": "coordination",
    "discovery.k8s.io": "discovery",
    "events.k8s.io": "events",
    "networking.k8s.io": "networking",
    "scheduling.k8s.io": "scheduling",
    "storage.k8s.io": "storage",
}
"""API groups whose definitions have another name than the group."""

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
OPAQUE = frozenset({f"{META}.FieldsV1", "io.k8s.apimachinery.pkg.runtime.RawExtension"})

Node = Mapping[str, Any]


@cache
def _content() -> dict[str, Any]:
    data = files("grader.embedded.core.api.schema").joinpath("data/schema.json.gz").read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(data))
    return content


def definitions() -> Mapping[str, Any]:
    """All OpenAPI schemas by definition name."""
    held: Mapping[str, Any] = _content()["definitions"]
    return held


def wire(name: str) -> Mapping[str, tuple[str, str, str]]:
    """Protobuf fields of a definition: {number: (JSON name, element type, mode)}; see tools/embedded_schema.py."""
    held: Mapping[str, tuple[str, str, str]] = _content()["wire"].get(name, {})
    return held


def named(name: str) -> Mapping[str, str]:
    """Go names of the types of a definition's fields, or of their elements, where they are named strings or numbers."""
    held: Mapping[str, str] = _content()["named"].get(name, {})
    return held


def always(name: str) -> Sequence[str]:
    """JSON fields of a definition that Go writes even when they are empty."""
    held: Sequence[str] = _content()["always"].get(name, ())
    return held


def definition_of(group: str, version: str, kind: str) -> str:
    """Definition name of a kind."""
    return f"io.k8s.api.{GROUP_PACKAGES.get(group, group)}.{version}.{kind}"


@cache
def plain_fields(name: str) -> frozenset[str]:
    """JSON fields of a definition that are no Go pointers: their zero value is not told from absence."""
    found: set[str] = set()
    for json_name, kind, mode in wire(name).values():
        if not json_name:
            found |= plain_fields(kind)
        elif mode != "?":
            found.add(json_name)
    return frozenset(found)


@cache
def resolved(name: str) -> Node:
    """The schema of a definition."""
    node: Node = definitions()[name]
    return node


def reference(node: Node) -> str:
    """The definition that a schema node refers to (directly or in a one-element allOf), or ""."""
    target = node.get("$ref")
    if target is None and (several := node.get("allOf")):
        target = several[0].get("$ref")
    return target.rsplit("/", 1)[1] if target else ""


def target(node: Node) -> Node:
    """The schema that says the type: the definition referred to, or the node itself. Merge keys stay on the node."""
    name = reference(node)
    return resolved(name) if name else node


def merge_keys(node: Node) -> tuple[str, ...]:
    """Keys of an associative list (`x-kubernetes-list-map-keys`), () where it is none."""
    return tuple(node.get("x-kubernetes-list-map-keys", ())) if node.get("x-kubernetes-list-type") == "map" else ()
