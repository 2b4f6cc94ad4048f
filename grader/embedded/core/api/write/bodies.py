"""Request bodies: which type, which format, which object."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.field import FieldError, invalid
from grader.embedded.core.api.http.messages import JSON, Request, Tree
from grader.embedded.core.api.http.negotiate import YAML, media_type, unsupported
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.schema.types import definition_of, definitions
from grader.embedded.core.api.write import protobuf
from grader.embedded.core.api.write.decode import clean, read_json, read_yaml, strict_error
from grader.embedded.core.store import Obj

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY)
_OBJECTS = (JSON, YAML, protobuf.CONTENT_TYPE)
_YAML_TYPES = (YAML, "text/yaml", "application/x-yaml")


def patch_type(request: Request) -> str:
    """Which of the four kinds of patch a request is. Raises ApiError (415)."""
    kind = media_type(request.headers.get("content-type", ""))
    if kind not in _PATCHES:
        raise unsupported(_PATCHES)
    return kind


def decode(body: bytes, content_type: str, resource: Resource) -> tuple[Obj, list[str]]:
    """The object of a POST or PUT, and what strict decoding objects to. Raises ApiError (400, 415)."""
    kind = media_type(content_type) or JSON
    if kind == protobuf.CONTENT_TYPE:
        api_version, name, raw = protobuf.envelope(body)
        _check(api_version, name, resource)
        tree: Any = protobuf.decode(raw, resource.definition)
        tree |= {"apiVersion": api_version, "kind": name}
    elif kind in _YAML_TYPES:
        tree = read_yaml(body)
    elif kind == JSON:
        tree = read_json(body)
    else:
        raise unsupported(_OBJECTS)
    if not isinstance(tree, dict):
        why = f"json: cannot unmarshal {_kind_of(tree)} into Go value of type struct"
        raise status.bad_request(f"couldn't get version/kind; json parse error: {why}")
    _check(tree.get("apiVersion"), tree.get("kind"), resource)
    tree.setdefault("apiVersion", resource.api_version)
    tree.setdefault("kind", resource.kind)
    return clean(tree, resource.definition, kind=resource.kind, version=resource.version)


def _kind_of(value: Any) -> str:
    return {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(value), "number")


def _check(api_version: Any, kind: Any, resource: Resource) -> None:
    """The body is of the kind that the path is for (k8s.io/apimachinery/pkg/runtime: scheme and decoder)."""
    sent_group, _, sent_version = str(api_version or resource.api_version).rpartition("/")
    sent_kind = str(kind or resource.kind)
    if (sent_group, sent_version, sent_kind) == (resource.group, resource.version, resource.kind):
        return
    known = definition_of(sent_group, sent_version, sent_kind) in definitions()
    if known and (sent_group, sent_kind) == (resource.group, resource.kind):  # create.go: AcceptsGroupVersion
        raise status.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if known:
        why = conversion(sent_version, sent_kind, resource)
    else:
        why = (
            f'no kind "{sent_kind}" is registered for version "{api_version or resource.api_version}" in scheme '
            '"pkg/runtime/scheme.go:111"'
        )
    text = f'{sent_kind} in version "{sent_version}" cannot be handled as a {resource.kind}: {why}'
    raise status.bad_request(text)


def conversion(version: str, kind: str, resource: Resource) -> str:
    """What Go says of a known type where another is wanted."""
    wanted = resource.group.partition(".")[0] or "core"
    return f"converting ({version}.{kind}) to ({wanted}.{resource.kind}): unknown conversion"


def strict_refusal(resource: Resource, problems: list[str]) -> status.ApiError:
    """`fieldValidation=Strict` (k8s.io/apiserver/pkg/endpoints/handlers/create.go)."""
    prefix = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
    return strict_error(problems, prefix=prefix)


def decode_apply(request: Request, resource: Resource) -> tuple[Obj, list[str]]:
    """The configuration of a server-side apply. Raises ApiError (400)."""
    tree = read_yaml(request.body)
    if not isinstance(tree, dict):
        raise status.bad_request("error decoding YAML: cannot unmarshal into Go value of type map[string]interface {}")
    _check(tree.get("apiVersion"), tree.get("kind"), resource)
    return clean(tree, resource.definition, kind=resource.kind, version=resource.version)


def decode_as(request: Request, group: str, version: str, kind: str) -> Tree:
    """The body of a subresource whose kind is not the resource's. Raises ApiError (400, 415)."""
    media = media_type(request.headers.get("content-type", "")) or JSON
    definition = definition_of(group, version, kind)
    if media == protobuf.CONTENT_TYPE:
        _, _, raw = protobuf.envelope(request.body)
        return protobuf.decode(raw, definition)
    tree, _ = clean(plain_json(request), definition, kind=kind, version=version)
    return tree


def plain_json(request: Request) -> Tree:
    """A body that is a JSON (or YAML) object. Raises ApiError (400)."""
    kind = media_type(request.headers.get("content-type", "")) or JSON
    tree = read_yaml(request.body) if kind in _YAML_TYPES else read_json(request.body)
    if not isinstance(tree, dict):
        raise status.bad_request(f"json: cannot unmarshal {_kind_of(tree)} into Go value of type struct")
    return tree


def negative_replicas(replicas: int) -> FieldError:
    """ValidateScale (pkg/apis/autoscaling/validation)."""
    return invalid("spec.replicas", replicas, "must be greater than or equal to 0")


def untyped(config: Tree, problems: list[str], resource: Resource) -> status.ApiError:
    """What server-side apply says of a field that the type lacks (managedfields/internal/structuredmerge.go)."""
    lines = [f".{problem.partition(chr(34))[2][:-1]}: field not declared in schema" for problem in problems]
    told = lines[0] if len(lines) == 1 else "errors:\n" + "\n".join(f"  {line}" for line in lines)
    meta = config.get("metadata") or {}
    who = (
        f"{meta.get('namespace', '')}/{meta.get('name', '')}; {resource.group}/{resource.version}, Kind={resource.kind}"
    )
    return status.ApiError(500, "", f"failed to create typed patch object ({who}): {told}")
