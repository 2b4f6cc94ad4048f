"""The site's page on fields that the embedded cluster stores and does not act upon, from its own table."""

from __future__ import annotations

from collections.abc import Iterable

from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.states import Inert, Warned
from grader.lessons.words import word


def limits_page() -> str:
    """Write the page: fields that are warned of, by definition, and those without an observable effect, by reason."""
    warned = {
        kind: [name for name, state in fields.items() if isinstance(state, Warned)] for kind, fields in FIELDS.items()
    }
    inert: dict[str, list[str]] = {}
    for kind, fields in FIELDS.items():
        for name, state in fields.items():
            if isinstance(state, Inert):
                inert.setdefault(state.why, []).append(f"{kind}.{name}")
    rows = [(f"`{kind}`", names) for kind, names in warned.items() if names]
    reasons = [(word(f"limits.why.{why}"), names) for why, names in inert.items()]
    parts = [
        f"# {word('limits.title')}",
        word("limits.lead"),
        _table("limits.head.type", rows),
        f"## {word('limits.inert.title')}",
        word("limits.inert.lead"),
        _table("limits.head.why", reasons),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: str, rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    lines = [f"| {word(head)} | {word('limits.head.fields')} |", "| --- | --- |"]
    lines += [f"| {first} | {'、'.join(f'`{name}`' for name in names)} |" for first, names in rows]
    return "\n".join(lines)
