"""The head of a file that was handed in is read as data: what has not exactly its form is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.workflow.handed import MOST_LINES, Head, Reference, read, reference

SLICE = Reference("shop-b", "EndpointSlice", "by-hand")
WEB = Reference("shop", "Deployment", "web")
FULL = Head("taro", (SLICE,), (WEB,), {"10.244.1.5": Reference("shop", "Deployment", "web", 1)})


@pytest.mark.parametrize("head", [Head(), Head(learner="taro"), FULL])
def test_what_is_written_is_read_again(head: Head) -> None:
    assert read(f"{head}apiVersion: v1\nkind: Service\n") == head


def test_only_the_head_counts() -> None:
    assert read(f"kind: Service\n{FULL}") == Head()
    assert read(f"\n# something else\n{FULL}") == FULL
    assert read("# other\n" * MOST_LINES + str(FULL)) == Head()


@pytest.mark.parametrize(
    "line",
    [
        "# learner: =1+1",
        "# learner: two words",
        "# learner:",
        "# deleted: ../../etc/passwd",
        "# deleted: shop/Service",
        "# restarted: Shop/Deployment/web",
        "# address: 10.0.0.1",
        "# address: example.org shop/Deployment/web/0",
        "# address: 10.0.0.1 nothing",
    ],
)
def test_what_has_another_form_is_not_there(line: str) -> None:
    assert read(line) == Head()


def test_the_first_learner_counts() -> None:
    assert read("# learner: taro\n# learner: hanako\n").learner == "taro"


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert isinstance(read(text), Head)
    found = reference(text)
    assert found is None or str(found) == text
