"""The table of fields is complete, and what it calls emulated is shown by a test that sets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from grader.embedded.core.api.schema import types as schema
from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.keys import ANNOTATIONS, LABELS
from grader.embedded.core.support.states import Done, Look

TESTS = Path(__file__).parents[3]
KINDS = ("core.v1.Service", "core.v1.Pod", "apps.v1.Deployment", "apps.v1.StatefulSet", "discovery.v1.EndpointSlice",
         "networking.v1.Ingress", "networking.v1.NetworkPolicy")  # fmt: skip
OF_EVERY_OBJECT = ("apiVersion", "kind", "metadata", "status")


def short(definition: str) -> str:
    return definition.rsplit(".", 1)[1]


def walked(definition: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """The fields that need a state: those of a kind, and of each type that the table looks into."""
    if definition in seen:
        return
    seen.add(definition)
    for name, node in schema.resolved(definition)["properties"].items():
        if name in OF_EVERY_OBJECT and short(definition) in map(short, KINDS):
            continue
        yield short(definition), name
        if isinstance(FIELDS.get(short(definition), {}).get(name), Look):
            inner = schema.reference(node) or schema.reference(node.get("items") or {})
            yield from walked(inner, seen)


def needed() -> list[tuple[str, str]]:
    seen: set[str] = set()
    return [pair for kind in KINDS for pair in walked(f"io.k8s.api.{kind}", seen)]


def test_each_field_of_the_kinds_of_the_course_has_a_state() -> None:
    assert [f"{kind}.{name}" for kind, name in needed() if name not in FIELDS.get(kind, {})] == []


def test_no_state_is_of_a_field_that_there_is_not() -> None:
    known = set(needed())
    stated = [(kind, name) for kind, fields in FIELDS.items() for name in fields]
    assert [(kind, name) for kind, name in stated if (kind, name) not in known] == []


@cache
def sources() -> dict[str, str]:
    """Each test function's name with the text of the module it is in."""
    found: dict[str, str] = {}
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        found |= dict.fromkeys(re.findall(r"^def (test_\w+)", text, re.MULTILINE), text)
    return found


@pytest.mark.parametrize(
    ("kind", "name", "shown_by"),
    [
        (kind, name, state.shown_by)
        for kind, fields in FIELDS.items()
        for name, state in fields.items()
        if isinstance(state, Done)
    ]
    + [
        (kind, key, state.shown_by)
        for kind, keys in (("label", LABELS), ("annotation", ANNOTATIONS))
        for key, state in keys.items()
        if isinstance(state, Done)
    ],
)
def test_what_is_called_emulated_is_shown_by_a_test_that_sets_it(kind: str, name: str, shown_by: str) -> None:
    transcript = shown_by.removeprefix("transcript ")
    if transcript != shown_by:
        text = (TESTS / "parity" / "scripts" / f"{transcript}.txt").read_text(encoding="utf-8")
    else:
        assert shown_by in sources(), f"{kind}.{name}: no test is called so"
        text = sources()[shown_by]
    assert re.search(rf"\b{re.escape(name)}\b", text), f"{kind}.{name}: {shown_by} does not set it"
