"""The site's page on limits says all that the tables of the embedded cluster say."""

from __future__ import annotations

from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.inventory import parts
from grader.embedded.core.support.states import Done, Inert, Warned
from grader.lessons.limits import STATES, limits_page
from grader.lessons.words import word


def section(title: str) -> str:
    """The page's section under a title of the catalogue."""
    return limits_page().split(f"## {word(title)}\n", 1)[1].split("\n## ", 1)[0]


def test_each_field_without_an_effect_stands_on_the_page_and_no_other_does() -> None:
    before, after = section("limits.fields.title"), section("limits.inert.title")
    for kind, fields in FIELDS.items():
        row = next((line for line in before.splitlines() if line.startswith(f"| `{kind}` ")), "")
        for name, state in fields.items():
            assert (f"`{name}`" in row) == isinstance(state, Warned), f"{kind}.{name}"
            assert (f"`{kind}.{name}`" in after) == isinstance(state, Inert), f"{kind}.{name}"
            assert not (isinstance(state, Done) and f"`{kind}.{name}`" in before + after)


def test_each_part_has_a_section_with_a_row_for_each_state() -> None:
    for part in parts():
        rows = dict(line.strip("| ").split(" | ") for line in section(f"limits.part.{part.name}.title").splitlines()
                    if line.startswith("| "))  # fmt: skip
        for state in STATES:
            listed = "、".join(f"`{name}`" for name in getattr(part, state))
            assert rows.get(word(f"limits.{state}"), "") == listed, f"{part.name}.{state}"
