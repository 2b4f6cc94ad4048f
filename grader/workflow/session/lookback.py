"""Looking back after a pass: what a learner changed from version to version, and their answer beside the right ones.

The result is Markdown, so that a terminal, a notebook and `grader watch` show the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path
from typing import Any

from grader.errors import ManifestError
from grader.model.exercise import Answer, Exercise, Form
from grader.text import labels
from grader.workflow.ground.manifests import read_documents
from grader.workflow.session.history import Version, versions
from grader.workflow.session.start import starter_path, starter_text

Fields = dict[str, str]
"""Path of a field → its value: "Service/web spec.ports[0].port" → "80"."""


def fields(text: str) -> Fields | None:
    """List every field of a manifest's objects; None where it cannot be read."""
    try:
        documents = [item.content for item in read_documents(text)]
    except ManifestError:
        return None
    found: Fields = {}
    for content in documents:
        metadata = content.get("metadata") or {}
        found |= _flat(content, f"{content.get('kind', '-')}/{metadata.get('name', '-')} ", "")
    return found


def _flat(value: Any, head: str, path: str) -> Fields:
    if isinstance(value, Mapping) and value:
        items: Iterator[tuple[str, Any]] = (
            (f"{path}.{key}" if path else str(key), item) for key, item in value.items()
        )
    elif isinstance(value, list) and value:
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        return {head + path: str(value)}
    return {name: text for key, item in items for name, text in _flat(item, head, key).items()}


def differing(mine: Fields, other: Fields) -> tuple[tuple[str, str, str], ...]:
    """Name the fields in which two manifests differ: path, this value, that value; "" where one has none."""
    paths = [*mine, *(path for path in other if path not in mine)]
    return tuple((path, mine.get(path, ""), other.get(path, "")) for path in paths if mine.get(path) != other.get(path))


def look_back(exercise: Exercise, work: Path) -> str:
    """Say in Markdown how the learner's answer came about and how it stands beside the reference; "" without one.

    Raises OSError.
    """
    file = starter_path(exercise, work)
    if not file.is_file():
        return ""
    mine = file.read_text(encoding="utf-8", errors="replace")
    kept = versions(file)
    parts = [*_changes(kept), *_beside(mine, exercise)] if kept or mine != starter_text(exercise) else []
    return "\n\n".join(parts)


def _changes(kept: tuple[Version, ...]) -> Iterator[str]:
    table = labels()
    if len(kept) < 2:
        return
    yield f"## {table['lookback.changes']}"
    for before, after in pairwise(kept):
        facts = {"before": before.number, "after": after.number}
        lines = [*unified_diff(before.text.splitlines(), after.text.splitlines(), lineterm="", n=1)][2:]
        changed = "\n".join(line for line in lines if not line.startswith("@@"))
        yield f"{table['lookback.step'].format(**facts)}\n\n```diff\n{changed}\n```"


def _beside(mine: str, exercise: Exercise) -> Iterator[str]:
    table = labels()
    right = [answer for answer in exercise.answers if answer.form is Form.MANIFEST]
    own = fields(mine)
    if not right or own is None:
        return
    reference, *others = right
    yield f"## {table['lookback.beside']}"
    yield _table(own, reference, table["lookback.same"], (table["lookback.mine"], table["lookback.reference"]))
    alike = [answer.name for answer in others if fields(answer.text) == own]
    if alike:
        yield table["lookback.alike"].format(name=alike[0])
    if others:
        yield f"## {table['lookback.others']}"
        for answer in others:
            yield f"### {answer.name}"
            heads = (table["lookback.reference"], answer.name)
            yield _table(fields(reference.text) or {}, answer, table["lookback.same"], heads)


def _table(left: Fields, right: Answer, same: str, heads: tuple[str, str]) -> str:
    rows = differing(left, fields(right.text) or {})
    if not rows:
        return same
    cells = [(labels()["lookback.field"], *heads), ("---", "---", "---")]
    cells += [(f"`{path}`", _cell(one), _cell(other)) for path, one, other in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cell(value: str) -> str:
    shown = value.replace("|", "\\|").replace("\n", " ")
    return f"`{shown}`" if shown else labels()["table.empty"]
