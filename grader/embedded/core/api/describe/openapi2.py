"""OpenAPI v2, from which kubectl validates what it cannot have the server validate: the items of a `kind: List`.

kubectl reads the definitions alone (k8s.io/kubectl/pkg/validation, k8s.io/kube-openapi/pkg/util/proto/document.go), as
protobuf; paths are left out. Message numbers: gnostic-models openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from grader.embedded.core.api.schema import types as schema

PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ASKED = (PROTOBUF, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
"""What clients call it, and what it is called in the answer (k8s.io/kube-openapi/pkg/handler/handler.go)."""
Tree = dict[str, Any]
_ONE_TYPE = {schema.INT_OR_STRING: "string", schema.QUANTITY: "string"}
"""Definitions of several types, which v2 cannot say."""


@cache
def document() -> Tree:
    """The document."""
    definitions = {name: _node(node, _ONE_TYPE.get(name, "")) for name, node in sorted(schema.definitions().items())}
    info = {"title": "Kubernetes", "version": "v1.36.3"}
    return {"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions}


def _node(node: Mapping[str, Any], one_type: str = "") -> Tree:
    """A v3 schema in the words of v2."""
    result: Tree = {
        key: value for key, value in node.items() if key in ("type", "format", "required") or key.startswith("x-")
    }
    if one_type:
        result["type"] = one_type
    if name := schema.reference(node):
        result["$ref"] = f"#/definitions/{name}"
    if "properties" in node:
        result["properties"] = {name: _node(field) for name, field in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), Mapping):
            result[key] = _node(node[key])
    return result


@cache
def protobuf() -> bytes:
    """The document as an openapi.v2.Document."""
    whole = document()
    info = _text(1, whole["info"]["title"]) + _text(2, whole["info"]["version"])
    return _text(1, whole["swagger"]) + _field(2, info) + _field(8, b"") + _field(9, _named(whole["definitions"]))


def _named(schemas: Mapping[str, Tree]) -> bytes:
    """Definitions and Properties alike: a list of NamedSchema."""
    return b"".join(_field(1, _text(1, name) + _field(2, _schema(node))) for name, node in schemas.items())


def _schema(node: Tree) -> bytes:
    parts = [_text(1, node["$ref"])] if "$ref" in node else []
    if "format" in node:
        parts.append(_text(2, node["format"]))
    parts += [_text(19, name) for name in node.get("required", ())]
    if "additionalProperties" in node:
        parts.append(_field(21, _field(1, _schema(node["additionalProperties"]))))
    if "type" in node:
        parts.append(_field(22, _text(1, node["type"])))
    if "items" in node:
        parts.append(_field(23, _field(1, _schema(node["items"]))))
    if "properties" in node:
        parts.append(_field(25, _named(node["properties"])))
    for key, value in node.items():
        if key.startswith("x-"):
            parts.append(_field(31, _text(1, key) + _field(2, _text(2, json.dumps(value)))))  # JSON is YAML
    return b"".join(parts)


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)
