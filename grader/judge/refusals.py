"""Say in Japanese why the API server refused a manifest: by `details.causes[].{field,reason}`, never by its text.

The fields and reasons are those of pkg/apis/core/validation/validation.go and k8s.io/apimachinery/pkg/api/errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grader.judge.scene import finding, word
from grader.model.evidence import Action, ManifestResult
from grader.model.report import Finding
from grader.text import catalogue

_INDEX = re.compile(r"\[[^]]*\]")
_UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')


def explain(result: ManifestResult) -> Finding | None:
    """Explain a refused manifest; None where it was not refused."""
    if result.action is not Action.REFUSED:
        return None
    status = result.status
    causes: Sequence[Mapping[str, Any]] = (status.get("details") or {}).get("causes") or ()
    first = causes[0] if causes else {}
    field = str(first.get("field", ""))
    reason = str(first.get("reason") or status.get("reason") or "")
    message = str(status.get("message", ""))
    code = _code(result, _INDEX.sub("", field), reason, message)
    if code == "unknown-field" and (match := _UNKNOWN_FIELD.search(message)):
        field = match[1]
    facts = {"field": field or word("plain", "unknown"), "kind": result.kind, "name": result.name}
    explanation = catalogue("refusals")[code]["what"].format_map({**facts, "message": message}).strip()
    return finding("manifest-rejected", **facts, line=result.line, explanation=explanation, message=message)


def _code(result: ManifestResult, field: str, reason: str, message: str) -> str:
    """Find the most specific explanation that the catalogue has."""
    known = catalogue("refusals")
    if _UNKNOWN_FIELD.search(message) and not field:
        return "unknown-field"
    last = field.rsplit(".", 1)[-1]
    for code in (f"{reason} {field}", f"{reason} {last}", f"field {last}", f"reason {reason}"):
        if code in known:
            return code
    return "other"
