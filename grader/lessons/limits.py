"""The site's page on what the embedded cluster does and does not do, from the tables that it works by."""

from __future__ import annotations

from collections.abc import Iterable

from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.inventory import Part, parts
from grader.embedded.core.support.states import Inert, Warned
from grader.lessons.words import word

STATES = ("done", "inert", "told", "refused")


def limits_page() -> str:
    """Write the page: fields that are warned of, those without an observable effect, and what each parser takes."""
    sections = [f"# {word('limits.title')}", word("limits.lead"), *_fields()]
    for part in parts():
        sections += _part(part)
    return "\n\n".join(sections) + "\n"


def _fields() -> list[str]:
    warned = {
        kind: [name for name, state in fields.items() if isinstance(state, Warned)] for kind, fields in FIELDS.items()
    }
    inert: dict[str, list[str]] = {}
    for kind, fields in FIELDS.items():
        for name, state in fields.items():
            if isinstance(state, Inert):
                inert.setdefault(state.why, []).append(f"{kind}.{name}")
    return [
        f"## {word('limits.fields.title')}",
        word("limits.fields.lead"),
        _table("type", "fields", ((f"`{kind}`", names) for kind, names in warned.items() if names)),
        f"## {word('limits.inert.title')}",
        word("limits.inert.lead"),
        _table("why", "fields", ((word(f"limits.why.{why}"), names) for why, names in inert.items())),
    ]


def _part(part: Part) -> list[str]:
    rows = ((word(f"limits.{state}"), names) for state in STATES if (names := getattr(part, state)))
    return [
        f"## {word(f'limits.part.{part.name}.title')}",
        word(f"limits.part.{part.name}.lead"),
        _table("what", "names", rows),
    ]


def _table(head: str, names: str, rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    lines = [f"| {word(f'limits.head.{head}')} | {word(f'limits.head.{names}')} |", "| --- | --- |"]
    lines += [f"| {first} | {'、'.join(f'`{name}`' for name in found)} |" for first, found in rows]
    return "\n".join(lines)
