"""The head of a file that was handed in is read as data: what has not exactly its form is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.ground import Change, Given
from grader.workflow.handin.handed import LONGEST_VALUE, MOST_LINES, Head, Reference, read, reference

SLICE = Reference("shop-b", "EndpointSlice", "by-hand")
WEB = Reference("shop", "Deployment", "web")
GIVEN = Given("shop", "Deployment", "web")
CHANGED = Change(GIVEN, "spec.replicas", "2", "0")
FULL = Head("taro", (SLICE,), (WEB,), (WEB,), {"10.244.1.5": Reference("shop", "Deployment", "web", 1)}, (CHANGED,))


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
        "# outdated: shop/Deployment/web/-1",
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


VALUES = st.none() | st.text(max_size=LONGEST_VALUE)


@given(st.lists(st.builds(Change, st.just(GIVEN), st.text(max_size=40), VALUES, VALUES), max_size=3))
def test_every_change_of_the_ground_is_one_line_and_read_again(changes: list[Change]) -> None:
    head = Head(learner="taro", ground=tuple(changes))
    assert len(str(head).splitlines()) == 1 + len(changes)
    assert read(f"{head}kind: Service\n") == head


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2, "2"),
        (True, "true"),
        ([{"port": 80}], '[{"port": 80}]'),
        ("x" * (LONGEST_VALUE + 1), "x" * (LONGEST_VALUE - 1) + "…"),
        ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        ("\u2028\x00" * (LONGEST_VALUE // 2), "\u2028\x00" * (LONGEST_VALUE // 2)),
        (None, None),
        ("", ""),
    ],
)
def test_a_value_is_written_as_text_of_a_bounded_length(value: Any, written: str | None) -> None:
    told = read(str(Head(ground=(Change(GIVEN, "spec.x", value, value),))))
    assert told.ground == (Change(GIVEN, "spec.x", written, written),)


def ground_line(what: Any = None, **values: Any) -> str:
    return f"# ground: {json.dumps({'what': vars(GIVEN) if what is None else what, **values})}"


@pytest.mark.parametrize(
    "line",
    [
        "# ground: {}",
        "# ground: []",
        "# ground: {no JSON}",
        "# ground: {" + "[" * 1500 + "}",
        ground_line("text"),
        ground_line(["shop", "Deployment", "web"]),
        ground_line({"namespace": "shop", "kind": "Deployment"}),
        ground_line({**vars(GIVEN), "more": "x"}),
        ground_line({**vars(GIVEN), "kind": "not a kind"}),
        ground_line({**vars(GIVEN), "kind": 1}),
        ground_line({**vars(GIVEN), "name": ["x"]}),
        ground_line({**vars(GIVEN), "name": "x" * 401}),
        ground_line(field=1),
        ground_line(field="x" * 401),
        ground_line(before={"a": 1}),
        ground_line(before=0),
        ground_line(after=[]),
        ground_line(after=False),
        ground_line(other="x"),
    ],
)
def test_a_change_of_another_form_is_not_there(line: str) -> None:
    assert read(line) == Head()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["what", "field", "before", "namespace", "kind", "name"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["what", "field", "before", "after"]), JSON))
def test_no_change_breaks_the_reader_and_what_it_reads_is_text(data: dict[str, Any]) -> None:
    for change in read(f"# ground: {json.dumps(data)}").ground:
        told = (change.what.namespace, change.what.name, change.field, change.before, change.after)
        assert all(item is None or isinstance(item, str) for item in told)
