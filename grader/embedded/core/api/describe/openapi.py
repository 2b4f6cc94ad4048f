"""OpenAPI v3 of each group and version, as `kubectl explain`, `apply` and `--dry-run=server` read it.

The schemas are Kubernetes' own; paths hold what clients look at: which verbs take a kind, and which parameters.
Shapes: k8s.io/kube-openapi/pkg/handler3 and api/openapi-spec/v3 of Kubernetes (1.36).
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from typing import Any

from grader.embedded.core.api.describe.prose import Prose, describe
from grader.embedded.core.api.kinds import registry as resources
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.schema import types as schema

Tree = dict[str, Any]
_CONTENT = ("application/json", "application/yaml")
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_READ_PARAMETERS = (
    "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
    "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip


_prose: Prose = {}


def speak(prose: Prose) -> None:
    """Put descriptions into every document from now on."""
    global _prose
    _prose = prose
    document.cache_clear()


def _key(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def index() -> Tree:
    """The answer to /openapi/v3."""
    paths = {}
    for group, version in resources.GROUP_VERSIONS:
        key = _key(group, version)
        digest = f"{zlib.crc32(document(key) or b''):08X}"
        paths[key] = {"serverRelativeURL": f"/openapi/v3/{key}?hash={digest}"}
    return {"paths": paths}


@cache
def document(key: str) -> bytes | None:
    """The document of a group and version (`api/v1`, `apis/apps/v1`), None where it is not served."""
    found = next((gv for gv in resources.GROUP_VERSIONS if _key(*gv) == key), None)
    if found is None:
        return None
    group, version = found
    served = [entry for entry in resources.in_group(group, version) if entry.definition in schema.definitions()]
    content = {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.3"},
        "paths": {path: item for entry in served for path, item in _paths(entry).items()},
        "components": {"schemas": _schemas(served)},
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _schemas(served: list[Resource]) -> Tree:
    wanted = [entry.definition for entry in served]
    wanted += [f"{entry.definition}List" for entry in served if f"{entry.definition}List" in schema.definitions()]
    wanted += [f"{schema.META}.{name}" for name in ("DeleteOptions", "Status", "WatchEvent")]
    if any("scale" in dict(entry.subresources) for entry in served):
        wanted.append("io.k8s.api.autoscaling.v1.Scale")
    result: Tree = {}
    while wanted:
        name = wanted.pop()
        if name in result:
            continue
        result[name] = describe(name, schema.definitions()[name], _prose)
        wanted += _references(result[name])
    return dict(sorted(result.items()))


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        name = schema.reference(node) if "$ref" in node else ""
        return [*([name] if name else []), *(found for value in node.values() for found in _references(value))]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def _parameters(names: tuple[str, ...]) -> list[Tree]:
    return [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in names]


def _operation(entry: Resource, verb: str, action: str, names: tuple[str, ...]) -> Tree:
    body = {"schema": {"$ref": f"#/components/schemas/{entry.definition}"}}
    operation: Tree = {
        "operationId": f"{verb}{entry.group.title().replace('.', '')}{entry.version.title()}{entry.kind}",
        "parameters": _parameters(names),
        "responses": {"200": {"description": "OK", "content": {media: body for media in _CONTENT}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": entry.group, "kind": entry.kind, "version": entry.version},
    }
    if verb in ("create", "replace"):
        operation["requestBody"] = {"content": {"*/*": body}, "required": True}
    if verb == "patch":
        patch = {"schema": {"$ref": f"#/components/schemas/{schema.META}.Patch"}}
        kinds = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
        operation["requestBody"] = {
            "content": {media: patch for media in (*kinds, "application/strategic-merge-patch+json")},
            "required": True,
        }
        operation["parameters"] = _parameters((*names, "force"))
    return operation


def _paths(entry: Resource) -> Tree:
    root = f"/apis/{entry.group}/{entry.version}" if entry.group else f"/api/{entry.version}"
    collection = f"{root}/namespaces/{{namespace}}/{entry.plural}" if entry.namespaced else f"{root}/{entry.plural}"
    common = _parameters(("pretty",))
    if entry.namespaced:
        common.append({"name": "namespace", "in": "path", "required": True, "schema": {"type": "string"}})
    named = [*common, {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    if entry.verbs == ("create",):
        return {collection: {"post": _operation(entry, "create", "post", _WRITE_PARAMETERS), "parameters": common}}
    return {
        collection: {
            "get": _operation(entry, "list", "list", _READ_PARAMETERS),
            "post": _operation(entry, "create", "post", _WRITE_PARAMETERS),
            "delete": _operation(entry, "deletecollection", "deletecollection", ("dryRun", *_READ_PARAMETERS)),
            "parameters": common,
        },
        f"{collection}/{{name}}": {
            "get": _operation(entry, "read", "get", ()),
            "put": _operation(entry, "replace", "put", _WRITE_PARAMETERS),
            "patch": _operation(entry, "patch", "patch", _WRITE_PARAMETERS),
            "delete": _operation(entry, "delete", "delete", ("dryRun", "gracePeriodSeconds", "propagationPolicy")),
            "parameters": named,
        },
    }
