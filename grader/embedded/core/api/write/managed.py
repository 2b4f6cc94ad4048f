"""Who owns which field: metadata.managedFields, and server-side apply with its conflicts.

Follows sigs.k8s.io/structured-merge-diff/v6 and k8s.io/apimachinery/pkg/util/managedfields (1.36). A set of fields is a
set of paths; a path is a tuple of the steps that FieldsV1 writes: `f:spec`, `k:{"port":80,"protocol":"TCP"}`, `v:"x"`,
and `.` at the end for the presence of a list item or map itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.schema import types

Path = tuple[str, ...]
Tree = dict[str, Any]
PRESENT = object()
_STRIPPED = {
    ("f:apiVersion",), ("f:kind",), ("f:metadata",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace"),
    ("f:metadata", "f:creationTimestamp"), ("f:metadata", "f:selfLink"), ("f:metadata", "f:uid"),
    ("f:metadata", "f:generation"), ("f:metadata", "f:managedFields"), ("f:metadata", "f:resourceVersion"),
    ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:deletionGracePeriodSeconds"),
}  # fmt: skip
"""managedfields/internal/stripmeta.go."""


@dataclass(frozen=True)
class Manager:
    """Who writes.

    Attributes:
        name: field manager.
        operation: Apply or Update.
        api_version: version of the type the fields belong to.
        subresource: "" or `status`, …
    """

    name: str
    operation: str
    api_version: str
    subresource: str = ""


Owners = dict[Manager, tuple[frozenset[Path], str]]
"""Fields of each manager, and the time of its last change."""


def fields_of(obj: Tree, definition: str) -> dict[Path, Any]:
    """Every ownable field of an object with its value; PRESENT for list items and maps themselves."""
    found = dict(_walk(obj, {"$ref": f"/{definition}"}, ()))
    return {
        path: value
        for path, value in found.items()
        if path not in _STRIPPED and path[:-1] not in _STRIPPED - {("f:metadata",)}
    }


def _step(key: str) -> str:
    return f"f:{key}"


def _item_step(item: Tree, node: types.Node) -> str:
    properties = types.target(node.get("items", {})).get("properties", {})
    key = {}
    for name in types.merge_keys(node):
        value = item.get(name, properties.get(name, {}).get("default"))
        if value is not None:
            key[name] = value
    return "k:" + json.dumps(key, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _walk(
    value: Any, node: types.Node, path: Path, *, owner: str = "", required: bool = False
) -> Iterator[tuple[Path, Any]]:
    kind = node.get("x-kubernetes-list-type")
    schema = types.target(node)
    if isinstance(value, dict) and not _atomic(node, schema):
        yield from _walk_map(value, node, schema, path, required)
    elif isinstance(value, list) and kind == "map":
        if path and not required:
            yield (*path, "."), PRESENT
        for item in value:
            here = (*path, _item_step(item, node))
            yield (*here, "."), PRESENT
            yield from _walk(item, node.get("items", {}), here, required=True)
    elif isinstance(value, list) and kind == "set":
        if path and not required:
            yield (*path, "."), PRESENT
        for item in value:
            yield (*path, "v:" + json.dumps(item)), item
    elif path:
        yield path, value


def _atomic(node: types.Node, schema: types.Node) -> bool:
    if "atomic" in (node.get("x-kubernetes-map-type"), schema.get("x-kubernetes-map-type")):
        return True
    return "properties" not in schema and "additionalProperties" not in schema


def _walk_map(
    value: Tree, node: types.Node, schema: types.Node, path: Path, required: bool
) -> Iterator[tuple[Path, Any]]:
    name = types.reference(node)
    plain = types.plain_fields(name) if name else frozenset()
    needed = schema.get("required", ())
    properties = schema.get("properties", {})
    if path and not value:
        yield path, PRESENT
    elif path and not required:
        yield (*path, "."), PRESENT
    for key, item in value.items():
        child = properties.get(key) or schema.get("additionalProperties") or {}
        structure = isinstance(item, dict) and key in plain and "properties" in types.target(child)
        always = structure or (isinstance(item, list) and key in needed)
        yield from _walk(item, child, (*path, _step(key)), required=always)


def to_fields(paths: frozenset[Path]) -> Tree:
    """A set of paths as FieldsV1."""
    root: Tree = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def from_fields(tree: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The paths of a FieldsV1."""
    for step, below in tree.items():
        here = (*path, step)
        if below:
            yield from from_fields(below, here)
        else:
            yield here


def owners_of(meta: Tree) -> Owners:
    """Read metadata.managedFields."""
    owners: Owners = {}
    for entry in meta.get("managedFields") or ():
        manager = Manager(
            entry.get("manager", ""),
            entry.get("operation", "Update"),
            entry.get("apiVersion", "v1"),
            entry.get("subresource", ""),
        )
        owners[manager] = (frozenset(from_fields(entry.get("fieldsV1") or {})), entry.get("time", ""))
    return owners


def entries(owners: Owners) -> list[Tree]:
    """metadata.managedFields: applied sets first, then by time and name (managedfields/internal/managedfields.go)."""
    listed = []
    ordered = sorted(
        owners.items(), key=lambda pair: (pair[0].operation != "Apply", pair[1][1], pair[0].name, pair[0].subresource)
    )
    for manager, (paths, time) in ordered:
        entry: Tree = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
        if time:
            entry["time"] = time
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = to_fields(paths)
        if manager.subresource:
            entry["subresource"] = manager.subresource
        listed.append(entry)
    return listed


def _same(left: Any, right: Any) -> bool:
    return left is right or (left is not PRESENT and right is not PRESENT and left == right)


@cache
def _zero(definition: str) -> Tree:
    """What an empty Go struct is written as: a new object is compared with it (endpoints/handlers/create.go)."""
    properties = types.definitions()[definition].get("properties", {})
    structures = {key: types.reference(properties.get(key, {})) for key in types.plain_fields(definition)}
    return {key: _zero(name) for key, name in structures.items() if name and "properties" in types.definitions()[name]}


def record_update(obj: Tree, old: Tree | None, manager: Manager, definition: str, time: str) -> None:
    """Note in `obj` what its writer changed. `obj` must not carry managedFields of the client any more."""
    owners = owners_of(old["metadata"]) if old else {}
    after = fields_of(obj, definition)
    before = fields_of(old or _zero(definition), definition)
    if manager.subresource != "status":
        after = {path: value for path, value in after.items() if path[0] != "f:status"}
        before = {path: value for path, value in before.items() if path[0] != "f:status"}
    changed = {path for path, value in after.items() if path not in before or not _same(before[path], value)}
    removed = {path for path in before if path not in after}
    result: Owners = {}
    for known, (paths, when) in owners.items():
        left = paths - removed if known == manager else paths - removed - changed
        if left:
            result[known] = (left, when)
    if changed:
        held = result.get(manager, (frozenset(), ""))[0]
        result[manager] = (held | changed, time)
    elif manager in result and removed:
        result[manager] = (result[manager][0], time)
    _store(obj, result)


def keep_times(obj: Tree, old: Tree) -> Tree:
    """The old owners' times where nothing else has changed (fieldmanager/equality.go)."""
    if "managedFields" not in old["metadata"] or _content(obj) != _content(old):
        return obj
    mine, known = owners_of(obj["metadata"]), owners_of(old["metadata"])
    if {manager: paths for manager, (paths, _) in mine.items()} != {m: paths for m, (paths, _) in known.items()}:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "managedFields": old["metadata"]["managedFields"]}}


def _store(obj: Tree, owners: Owners) -> None:
    if owners:
        obj["metadata"]["managedFields"] = entries(owners)
    else:
        obj["metadata"].pop("managedFields", None)


def applied_paths(config: Tree, definition: str) -> dict[Path, Any]:
    """What an applied configuration owns: its leaves and list items, not the maps around them."""
    found = fields_of(config, definition)
    return {
        path: value
        for path, value in found.items()
        if value is not PRESENT or path[-2].startswith("k:") or not _has_below(path[:-1], found)
    }


def _has_below(path: Path, found: Mapping[Path, Any]) -> bool:
    return any(other[: len(path)] == path and other[len(path)] != "." for other in found if len(other) > len(path))


def apply(live: Tree, config: Tree, manager: Manager, definition: str, *, force: bool) -> tuple[Tree, Owners]:
    """Server-side apply on an existing object.

    Returns the merged object and the owners that it has if nothing else changes it.
    Raises ApiError (409) where other managers own fields with other values and `force` is off.
    """
    owners = owners_of(live["metadata"])
    wanted = applied_paths(config, definition)
    now = fields_of(live, definition)
    result: Owners = {}
    conflicts: list[tuple[Manager, Path]] = []
    for known, (paths, when) in owners.items():
        if known == manager:
            continue
        found = (p for p in paths if p in wanted and p[-1] != "." and p in now and not _same(now[p], wanted[p]))
        contested = sorted(found, key=_rank)
        conflicts += [(known, path) for path in contested]
        if left := paths - set(contested):
            result[known] = (left, when)
    if conflicts and not force:
        raise _conflict(conflicts)
    merged = _merge(live, config, {"$ref": f"/{definition}"})
    before = owners.get(manager, (frozenset(), ""))[0]
    others: set[Path] = set().union(*(paths for paths, _ in result.values())) if result else set()
    kept = others | set(wanted)
    for held in sorted({path[:-1] if path[-1] == "." else path for path in before - kept}, key=len):
        if any(other[: len(held)] == held for other in kept):
            continue
        _remove(merged, held, {"$ref": f"/{definition}"})
    result[manager] = (frozenset(wanted), owners.get(manager, (frozenset(), ""))[1])
    return merged, result


def record_apply(obj: Tree, live: Tree | None, owners: Owners, manager: Manager, time: str) -> None:
    """Note the owners that an apply has led to; the time moves only where the manager's set or the object changed."""
    paths, when = owners[manager]
    before = owners_of(live["metadata"]).get(manager) if live else None
    unchanged = live is not None and before is not None and before[0] == paths and _content(obj) == _content(live)
    owners[manager] = (paths, when if unchanged and when else time)
    _store(obj, owners)


def _content(obj: Tree) -> Tree:
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in ("managedFields", "resourceVersion", "generation")
    }
    return {**obj, "metadata": meta}


def _merge(live: Any, config: Any, node: types.Node) -> Any:
    schema = types.target(node)
    if isinstance(config, dict) and isinstance(live, dict) and not _atomic(node, schema):
        result = dict(live)
        for key, value in config.items():
            child = schema.get("properties", {}).get(key) or schema.get("additionalProperties") or {}
            result[key] = _merge(result[key], value, child) if key in result else value
        return result
    if isinstance(config, list) and isinstance(live, list) and node.get("x-kubernetes-list-type") == "map":
        items = node.get("items", {})
        mine = {_item_step(item, node): item for item in config}
        theirs = {_item_step(item, node): item for item in live}
        merged = {step: _merge(theirs[step], item, items) if step in theirs else item for step, item in mine.items()}
        order = [*(step for step in theirs if step not in mine or step in mine), *(s for s in mine if s not in theirs)]
        return [merged.get(step, theirs.get(step)) for step in order]
    if isinstance(config, list) and isinstance(live, list) and node.get("x-kubernetes-list-type") == "set":
        return [*live, *(item for item in config if item not in live)]
    return config


def _remove(obj: Any, path: Path, node: types.Node) -> None:
    """Take the field of a path out of an object (whose containers on the way are replaced by copies)."""
    if not path or obj is None:
        return
    step, rest = path[0], path[1:]
    schema = types.target(node)
    if step.startswith("f:") and isinstance(obj, dict):
        key = step[2:]
        if key not in obj:
            return
        if not rest:
            del obj[key]
            return
        child = schema.get("properties", {}).get(key) or schema.get("additionalProperties") or {}
        obj[key] = (
            list(obj[key]) if isinstance(obj[key], list) else dict(obj[key]) if isinstance(obj[key], dict) else obj[key]
        )
        _remove(obj[key], rest, child)
    elif isinstance(obj, list):
        for index, item in enumerate(obj):
            found = _item_step(item, node) == step if step.startswith("k:") else f"v:{json.dumps(item)}" == step
            if not found:
                continue
            if not rest:
                del obj[index]
            else:
                obj[index] = dict(item)
                _remove(obj[index], rest, node.get("items", {}))
            return


def path_text(path: Path) -> str:
    """A path as messages show it: `.spec.ports[port=80,protocol="TCP"].targetPort` (fieldpath/element.go)."""
    text = ""
    for step in path:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            pairs = json.loads(step[2:]).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"
        elif step.startswith("v:"):
            text += f"[={step[2:]}]"
    return text


def _manager_text(manager: Manager) -> str:
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    return f"{text} using {manager.api_version}" if manager.operation == "Update" else text


def _rank(path: Path) -> tuple[tuple[bool, str], ...]:
    """Where a path comes in a set: what ends at a level before what goes on (fieldpath/set.go Iterate)."""
    return tuple((index < len(path) - 1, step) for index, step in enumerate(path))


def _conflict(conflicts: list[tuple[Manager, Path]]) -> status.ApiError:
    """GetConflictMessage (managedfields/internal/conflict.go)."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_manager_text(manager)}",
            "field": path_text(path),
        }
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
        return status.apply_conflict(causes, message)
    by_manager: dict[str, list[str]] = {}
    for manager, path in conflicts:
        by_manager.setdefault(_manager_text(manager), []).append(path_text(path))
    lines: list[str] = []
    for name in sorted(by_manager):
        lines += [f"conflicts with {name}:", *(f"- {field}" for field in by_manager[name])]
    return status.apply_conflict(causes, f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines))
