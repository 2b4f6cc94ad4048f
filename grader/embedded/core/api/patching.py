"""Applying the three client-side kinds of patch to an object, strictly where the client asks for it."""

from __future__ import annotations

import json

from grader.embedded.core.api import bodies, patch, status
from grader.embedded.core.api.decode import clean, read_json, read_yaml
from grader.embedded.core.api.field import invalid
from grader.embedded.core.api.messages import Request, Tree
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
        raise status.bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    elif kind == bodies.MERGE_PATCH:
        result = patch.merge_patch(obj, change)
    else:
        result = patch.strategic_patch(obj, change, definition)
    name, version = definition.rsplit(".", 1)[1], definition.rsplit(".", 2)[1]
    for key in ("apiVersion", "kind"):
        if result.get(key) != obj.get(key):
            raise status.bad_request(f"the {key} of an object cannot be changed by a patch")
    cleaned, problems = _clean(result, definition, name, version)
    if problems and validation == "Strict":
        text = f"strict decoding error: {', '.join(problems)}"
        shown = json.dumps(result, separators=(",", ":"), ensure_ascii=False)
        raise _unnamed_invalid(shown, text)
    return cleaned, problems if validation == "Warn" else []


def _clean(result: Tree, definition: str, name: str, version: str) -> tuple[Tree, list[str]]:
    try:
        return clean(result, definition, kind=name, version=version)
    except status.ApiError as error:
        text = error.message.partition(f"cannot be handled as a {name}: ")[2].replace("json: cannot unmarshal", "unrecognized type:")
        shown = json.dumps(result, separators=(",", ":"), ensure_ascii=False)
        raise _unnamed_invalid(shown, text) from error


def _unnamed_invalid(value: str, text: str) -> status.ApiError:
    return status.invalid("", "", "", [invalid("patch", value, text)])
