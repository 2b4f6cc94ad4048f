"""Applying the three client-side kinds of patch to an object, strictly where the client asks for it."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.field import go_json, invalid
from grader.embedded.core.api.http.messages import Request, Tree
from grader.embedded.core.api.write import bodies, patch
from grader.embedded.core.api.write.decode import GO_KINDS, clean, read_json, read_yaml
from grader.embedded.core.store import Obj


def patched(obj: Obj, request: Request, definition: str, validation: str) -> tuple[Tree, list[str]]:
    """The object that a patch makes, and warnings about what it does not know.

    Raises ApiError: 400 or 422 (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).
    """
    kind = bodies.patch_type(request)
    body = request.body
    change = read_json(body) if body.lstrip()[:1] in (b"{", b"[") else read_yaml(body)
    if kind == bodies.JSON_PATCH:
        result = patch.json_patch(obj, change)
    elif not isinstance(change, dict):
        prefix = "" if kind == bodies.STRATEGIC_PATCH else "error decoding patch: "
        shown = GO_KINDS.get(type(change), "null")
        raise status.bad_request(
            f"{prefix}json: cannot unmarshal {shown} into Go value of type map[string]interface {{}}"
        )
    elif kind == bodies.MERGE_PATCH:
        result = patch.merge_patch(obj, change)
    else:
        result = patch.strategic_patch(obj, change, definition)
    problems: list[str] = []
    shown = _go_map(change) if kind == bodies.STRATEGIC_PATCH else go_json(result)
    try:
        _check_kind(result, obj)
        result, problems = clean(result, definition, kind=str(obj.get("kind")), version="")
    except status.ApiError as error:
        text = error.message.partition(f"cannot be handled as a {obj.get('kind')}: ")[2] or error.message
        if kind == bodies.STRATEGIC_PATCH:
            text = f"unrecognized type: {text.rpartition(' of type ')[2]}"
        raise _unnamed_invalid(shown, text) from error
    if problems and validation == "Strict":
        raise _unnamed_invalid(shown, f"strict decoding error: {', '.join(problems)}")
    return result, problems if validation == "Warn" else []


def _check_kind(result: Tree, obj: Obj) -> None:
    if (result.get("apiVersion"), result.get("kind")) != (obj.get("apiVersion"), obj.get("kind")):
        version = str(result.get("apiVersion")).rpartition("/")[2]
        group = str(obj["apiVersion"]).rpartition("/")[0].partition(".")[0] or "core"
        raise status.bad_request(
            f"converting ({version}.{result.get('kind')}) to ({group}.{obj['kind']}): unknown conversion"
        )


def _go_map(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go_map(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unnamed_invalid(value: str, text: str) -> status.ApiError:
    return status.invalid("", "", "", [invalid("patch", value, text)])
