"""The site's page on limits says all that the table of fields says."""

from __future__ import annotations

from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.states import Done, Inert, Warned
from grader.lessons.limits import limits_page


def test_each_field_without_an_effect_stands_on_the_page_and_no_other_does() -> None:
    page = limits_page()
    before, _, after = page.partition("\n## ")
    for kind, fields in FIELDS.items():
        row = next((line for line in before.splitlines() if line.startswith(f"| `{kind}` ")), "")
        for name, state in fields.items():
            assert (f"`{name}`" in row) == isinstance(state, Warned), f"{kind}.{name}"
            assert (f"`{kind}.{name}`" in after) == isinstance(state, Inert), f"{kind}.{name}"
            assert not (isinstance(state, Done) and f"`{kind}.{name}`" in page)
