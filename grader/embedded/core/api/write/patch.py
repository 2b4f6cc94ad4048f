"""JSON Patch, JSON Merge Patch and Kubernetes' strategic merge patch.

RFC 6902, RFC 7386, and k8s.io/apimachinery/pkg/util/strategicpatch (1.36); merge keys come from the schema.
"""

from __future__ import annotations

import copy
from typing import Any

from grader.embedded.core.api.http.field import go_json
from grader.embedded.core.api.http.status import ApiError, bad_request
from grader.embedded.core.api.schema import types

Tree = dict[str, Any]


def json_patch(obj: Tree, operations: Any) -> Tree:
    """RFC 6902. Raises ApiError: 400 for what is no patch, 422 for one that does not apply."""
    import jsonpatch  # rarely needed, and the process must start fast

    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    try:
        result: Tree = jsonpatch.apply_patch(obj, operations)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {}) from error
    return result


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_patch(target: Tree, patch: Tree, definition: str) -> Tree:
    """Merge by the keys and strategies that the type declares. Raises ApiError (400) for a patch that is none."""
    return _merge_object(copy.deepcopy(target), patch, types.resolved(definition))


def _child(node: types.Node, key: str) -> types.Node:
    schema = types.target(node)
    found: types.Node = schema.get("properties", {}).get(key) or schema.get("additionalProperties") or {}
    return found


def _merge_object(target: Tree, patch: Tree, node: types.Node) -> Tree:
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    kept = patch.get("$retainKeys")
    result = {key: value for key, value in target.items() if kept is None or key in kept}
    for key, value in patch.items():
        if key in ("$patch", "$retainKeys"):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name) or [] if item not in value]
            continue
        if key.startswith("$setElementOrder/"):
            continue
        child = _child(node, key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = _merge_object(before if isinstance(before, dict) else {}, value, child)
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{key}")
            result[key] = _merge_list(result.get(key) or [], value, child, order)
        else:
            result[key] = value
    for key, order in patch.items():
        name = key.partition("/")[2]
        if key.startswith("$setElementOrder/") and name not in patch and isinstance(result.get(name), list):
            result[name] = _ordered(result[name], result[name], order, _child(node, name))
    return result


def _merge_list(target: list[Any], patch: list[Any], node: types.Node, order: list[Any] | None) -> list[Any]:
    key = node.get("x-kubernetes-patch-merge-key")
    strategy = node.get("x-kubernetes-patch-strategy", "").split(",")
    if "merge" not in strategy:
        return [_without_directives(item) for item in patch]
    if not key:
        merged = [*target, *(item for item in patch if item not in target)]
        return _ordered(merged, target, patch if order is None else order, node)
    items = node.get("items", {})
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    result = [dict(item) for item in target]
    for item in patch:
        if not isinstance(item, dict) or (key not in item and item.get("$patch") is None):
            raise bad_request(f"map: {go_json(item)} does not contain declared merge key: {key}")
        index = next((i for i, known in enumerate(result) if known.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [known for known in result if known.get(key) != item.get(key)]
        elif index is None:
            result.append(_merge_object({}, item, items))
        else:
            result[index] = _merge_object(result[index], item, items)
    return _ordered(result, target, patch if order is None else order, node)


def _without_directives(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _without_directives(value) for key, value in item.items() if not key.startswith("$")}
    return item


def _ordered(merged: list[Any], before: list[Any], order: list[Any], node: types.Node) -> list[Any]:
    """Sort a merged list: what the patch lists in its order, what only the server has in the server's.

    NormalizeElementOrder and mergeSortedSlice of strategicpatch: where the two have no order between them, the
    patch's items come first.
    """
    key = node.get("x-kubernetes-patch-merge-key")

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(item) for item in order]
    known = [identity(item) for item in before]
    listed = sorted(
        (item for item in merged if identity(item) in wanted), key=lambda item: wanted.index(identity(item))
    )
    others = [item for item in merged if identity(item) not in wanted]
    result: list[Any] = []
    while others and listed:
        left, right = identity(others[0]), identity(listed[0])
        first = left in known and right in known and known.index(left) < known.index(right)
        result.append((others if first else listed).pop(0))
    return [*result, *others, *listed]
