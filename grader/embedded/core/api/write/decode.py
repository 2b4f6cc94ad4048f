"""From a request's body to an object: JSON or YAML, strict about what it does not know, cleaned as Go's types clean it.

Texts: sigs.k8s.io/json and k8s.io/apimachinery/pkg/runtime/serializer/json (`strict decoding error: unknown field
"spec.selectr"`), encoding/json (`json: cannot unmarshal string into Go struct field …`).
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from grader.embedded.core.api.http.status import ApiError, bad_request
from grader.embedded.core.api.schema import types

Tree = dict[str, Any]

DEEPEST = 200
"""Objects and arrays inside of each other that are taken; kube-apiserver takes 10000."""
_REAL_DEEPEST = 10_000
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
GO_KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
"""What encoding/json calls a JSON value, by what Python makes of it."""


class _Duplicates(dict[str, Any]):
    """An object that had a key twice; remembers which."""

    keys_twice: tuple[str, ...] = ()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    seen: set[str] = set()
    marked = _Duplicates(result)
    marked.keys_twice = tuple(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return marked


@cache
def _loader() -> Any:
    """YAML as sigs.k8s.io/yaml reads it: no timestamps, so that dates stay text. Imported late: it takes 50 ms."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {
        key: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def read_json(body: bytes) -> Any:
    """The JSON value of a body. Raises ApiError (400) as the server words it."""
    if (depth := _depth(body)) > DEEPEST:  # sigs.k8s.io/json internal/golang/encoding/json/scanner.go maxNestingDepth
        raise bad_request(f"couldn't get version/kind; json parse error: exceeded max depth{_ours(depth)}")
    try:
        return json.loads(body, object_pairs_hook=_pairs)
    except (ValueError, UnicodeDecodeError) as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def read_yaml(body: bytes) -> Any:
    """The YAML value of a body (one document). Raises ApiError (400)."""
    import yaml

    try:
        if max(_depth(body), max(map(len, body.split(b"\n")))) > DEEPEST:  # it may be nested that deeply
            _check_depth(body)
        return yaml.load(body, Loader=_loader())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"error converting YAML to JSON: {error}") from error


def _depth(body: bytes) -> int:
    """How deeply a JSON text is nested."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        letter = found[0][:1]
        if letter != b'"':
            depth += 1 if letter in b"[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _check_depth(body: bytes) -> None:
    """Refuse YAML that is nested too deeply: libyaml tells events on a stack of its own. Raises ApiError, YAMLError."""
    import yaml

    depth = 0
    for event in yaml.parse(body, Loader=_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:  # go.yaml.in/yaml/v2 scannerc.go max_flow_level, max_indents
            why = f"yaml: exceeded max depth of {_REAL_DEEPEST}{_ours(DEEPEST)}"
            raise bad_request(f"error converting YAML to JSON: {why}")


def _ours(depth: int) -> str:
    return "" if depth > _REAL_DEEPEST else f" (the embedded cluster takes {DEEPEST})"


class _Problems:
    """What strict decoding finds, in the order of the text."""

    def __init__(self) -> None:
        self.found: list[str] = []


def clean(value: Any, definition: str, *, kind: str, version: str) -> tuple[Tree, list[str]]:
    """Bring a tree into the form that Go's types would give it, and say what strict decoding objects to.

    Nulls, unknown fields and zero values of fields that cannot hold them are dropped.

    Returns the tree and the objections (`unknown field "spec.selectr"`).
    Raises ApiError (400) where a value has the wrong type.
    """
    problems = _Problems()
    try:
        tree = _object(value, definition, "", problems)
    except _TypeMismatch as error:
        message = f'{kind} in version "{version}" cannot be handled as a {kind}: {error}'
        raise bad_request(message) from error
    return tree, list(dict.fromkeys(problems.found))


def strict_error(problems: list[str], *, prefix: str = "") -> ApiError:
    """The refusal of `fieldValidation=Strict`."""
    return bad_request(f"{prefix}strict decoding error: {', '.join(problems)}")


class _TypeMismatch(Exception):
    """A value of a JSON type that the Go type cannot take."""


def _mismatch(value: Any, owner: str, path: str, go_type: str) -> _TypeMismatch:
    shown = GO_KINDS.get(type(value), "value")
    if shown == "number" and go_type.startswith(("int", "uint")):
        shown = f"number {value}"
    where = f"Go struct field {owner}.{path}" if path else "Go value"
    return _TypeMismatch(f"json: cannot unmarshal {shown} into {where} of type {go_type}")


def _plain_path(path: str) -> str:
    """The path as encoding/json tells it: without list indexes and map keys."""
    result, depth = [], 0
    for character in path:
        depth += character == "["
        if not depth:
            result.append(character)
        depth -= character == "]"
    return "".join(result)


def _go_name(definition: str) -> str:
    parts = definition.split(".")
    return f"{parts[-2]}.{parts[-1]}" if len(parts) > 1 else definition


def _object(value: Any, definition: str, path: str, problems: _Problems, owner: str = "") -> Tree:
    if not isinstance(value, dict):
        raise _mismatch(value, owner, _plain_path(path), _go_name(definition))
    node = types.resolved(definition)
    properties = node.get("properties")
    if properties is None or definition in types.OPAQUE:
        return dict(value)
    plain, needed, named = types.plain_fields(definition), types.always(definition), types.named(definition)
    name = definition.rsplit(".", 1)[1]
    for key in getattr(value, "keys_twice", ()):
        problems.found.append(f'duplicate field "{path}{"." if path else ""}{key}"')
    result: Tree = {}
    for key, item in value.items():
        here = f"{path}.{key}" if path else key
        child = properties.get(key)
        if child is None:
            problems.found.append(f'unknown field "{here}"')
            continue
        if item is None:
            continue
        cleaned = _value(item, child, here, name, problems, named.get(key, ""))
        empty = cleaned in ("", 0, False, [], {}) and cleaned is not None
        if empty and key in plain and key not in needed and not _is_struct(child):
            continue
        result[key] = cleaned
    return result


def _is_struct(node: types.Node) -> bool:
    name = types.reference(node)
    return bool(name) and "properties" in types.resolved(name)


def _value(value: Any, node: types.Node, path: str, owner: str, problems: _Problems, go_name: str = "") -> Any:
    name = types.reference(node)
    if name == types.INT_OR_STRING:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise _mismatch(value, owner, _plain_path(path), "int32")
        return value
    if name == types.QUANTITY:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _mismatch(value, owner, _plain_path(path), "resource.Quantity")
        return value if isinstance(value, str) else str(value)
    schema = types.target(node)
    if "properties" in schema and name:
        return _object(value, name, path, problems, owner)
    match schema.get("type"):
        case "string":
            if not isinstance(value, str):
                raise _mismatch(value, owner, _plain_path(path), go_name or "string")
            return value
        case "integer":
            go_type = schema.get("format", "int64")
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                raise _mismatch(value, owner, _plain_path(path), go_type)
            if go_type == "int32" and not -(2**31) <= value < 2**31:
                raise _mismatch(value, owner, _plain_path(path), go_type)
            return value
        case "number":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise _mismatch(value, owner, _plain_path(path), "float64")
            return value
        case "boolean":
            if not isinstance(value, bool):
                raise _mismatch(value, owner, _plain_path(path), "bool")
            return value
        case "array":
            if not isinstance(value, list):
                raise _mismatch(value, owner, _plain_path(path), f"[]{go_name or _element(schema['items'])}")
            return [
                _value(item, schema["items"], f"{path}[{index}]", owner, problems, go_name)
                for index, item in enumerate(value)
                if item is not None
            ]
        case "object" if "additionalProperties" in schema:
            return _map(value, schema["additionalProperties"], path, owner, problems)
    return value


def _map(value: Any, items: types.Node, path: str, owner: str, problems: _Problems) -> Tree:
    if not isinstance(value, dict):
        raise _mismatch(value, owner, _plain_path(path), f"map[string]{_element(items)}")
    for key in getattr(value, "keys_twice", ()):
        problems.found.append(f'duplicate field "{path}.{key}"')
    return {
        key: _value(
            "" if item is None and items.get("type") == "string" else item, items, f"{path}[{key}]", owner, problems
        )
        for key, item in value.items()
        if item is not None or items.get("type") == "string"
    }


def _element(node: types.Node) -> str:
    name = types.reference(node)
    return _go_name(name) if name else {"integer": "int32", "boolean": "bool"}.get(node.get("type", ""), "string")
