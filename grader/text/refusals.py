"""What the API server's refusals mean, in Japanese: matched by reason and field of each cause (`ja/refusals.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from grader.text import Message, catalogue, labels, message

CATALOGUE = "refusals"

# field.Error.ErrorBody (k8s.io/apimachinery/pkg/util/validation/field/errors.go): "TYPE: VALUE: DETAIL", where TYPE is
# one of these; Required, Forbidden and the like have no VALUE.
_WITH_VALUE = re.compile(
    r"(?:Invalid value|Unsupported value|Duplicate value|Not found): "
    r"(\"(?:[^\"\\]|\\.)*\"|[\[{].*?[\]}](?=: |$)|[^:]+|.+)(?:: (.*))?",
    re.DOTALL,
)
_WITHOUT_VALUE = re.compile(r"(?:Required value|Forbidden|Too long|Too short|Internal error)(?:: (.*))?", re.DOTALL)
_INDEX = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Refusal:
    """One thing that the API server objects to.

    Attributes:
        code: the entry of the catalogue.
        field: path of the field, "" where the server names none.
        server: the server's own words.
        facts: values that the message names.

    """

    code: str
    field: str
    server: str
    facts: Mapping[str, str]

    @property
    def message(self) -> Message:
        """What it means, in Japanese."""
        return message(CATALOGUE, self.code, self.facts)


@cache
def _patterns() -> tuple[tuple[str, tuple[re.Pattern[str] | None, ...]], ...]:
    parts = ("reason", "field", "says")
    return tuple(
        (code, tuple(re.compile(entry[part]) if part in entry else None for part in parts))
        for code, entry in catalogue(CATALOGUE).items()
    )


def _match(reason: str, field: str, says: str) -> tuple[str, dict[str, str]]:
    for code, (by_reason, by_field, by_says) in _patterns():
        if by_reason and not by_reason.fullmatch(reason):
            continue
        if by_field and not by_field.fullmatch(field):
            continue
        if by_says is None:
            return code, {}
        if found := by_says.search(says):
            return code, {key: text or "" for key, text in found.groupdict().items()}
    raise KeyError(f"{CATALOGUE}: no entry speaks for {reason} {field}")


def _body(says: str) -> tuple[str, str]:
    """Cut the bad value and the detail out of a cause's words; brackets and quotes around one value are taken off."""
    if found := _WITH_VALUE.match(says):
        value = found[1].strip().removeprefix("[").removesuffix("]")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        return value, found[2] or ""
    if found := _WITHOUT_VALUE.match(says):
        return "", found[1] or ""
    return "", says


def _index(field: str) -> int | None:
    found = _INDEX.search(field)
    return int(found[1]) if found else None


def _causes(status: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    causes = (status.get("details") or {}).get("causes") or ()
    for cause in causes:
        if cause.get("field"):
            yield str(cause.get("reason") or ""), str(cause["field"]), str(cause.get("message") or "")
    if not any(cause.get("field") for cause in causes):
        yield str(status.get("reason") or ""), "", str(status.get("message") or "")


def explain(status: Mapping[str, Any], *, kind: str = "", name: str = "", namespace: str = "") -> tuple[Refusal, ...]:
    """Explain a `Status` object of the API server: one Refusal a cause, in the server's order, each entry once.

    Args:
        status: the object (k8s.io/apimachinery/pkg/apis/meta/v1/types.go, Status).
        kind: the object's kind, where the manifest told it.
        name: the object's name, where the manifest told it.
        namespace: where it was to be, "" for an object without a Namespace.

    """
    details = status.get("details") or {}
    named = {
        "kind": kind or str(details.get("kind") or ""),
        "name": name or str(details.get("name") or ""),
        "namespace": namespace or "default",  # of a cluster-scoped object kubectl ignores it
    }
    seen: dict[str, Refusal] = {}
    for reason, field, says in _causes(status):
        code, groups = _match(reason, field, says)
        value, detail = _body(says)
        nth = _index(field)
        place = labels()["place.nth"].format(number=nth + 1) if nth is not None else ""
        facts = {**named, "field": field, "value": value, "detail": detail, "says": says, "place": place, **groups}
        seen.setdefault(code, Refusal(code, field, says, facts))
    return tuple(seen.values())
