from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.lessons.markdown import admonitions, fenced, outside_fences, shift_headings, title_of, without_title

TEXT = st.text(alphabet=st.sampled_from(list("#>`~ ab\n")), max_size=60)


def test_headings_go_deeper_but_comments_in_code_stay() -> None:
    text = "# a\n```bash\n# comment\n```\n## b"
    assert shift_headings(text, 2) == "### a\n```bash\n# comment\n```\n#### b"


def test_headings_never_go_deeper_than_six() -> None:
    assert shift_headings("##### a", 3) == "###### a"


def test_a_blockquote_with_a_known_title_becomes_an_admonition() -> None:
    text = "前\n\n> **注意**\n>\n> 本文です。\n> `code`\n\n後"
    assert admonitions(text, {"注意": "warning"}) == '前\n\n!!! warning "注意"\n\n    本文です。\n    `code`\n\n後'


def test_other_blockquotes_and_code_stay() -> None:
    text = "> 引用です。\n\n```text\n> **注意**\n```"
    assert admonitions(text, {"注意": "warning"}) == text


def test_the_title_is_taken_off_once() -> None:
    assert title_of("```\n# no\n```\n# yes\n") == "yes"
    assert without_title("# a\n\nb\n\n# c\n") == "b\n\n# c\n"


@given(TEXT)
def test_no_text_closes_the_fence_around_it(text: str) -> None:
    lines = list(outside_fences(fenced(text, "text")))
    assert not any(outside for _, outside in lines)


@given(TEXT, st.integers(0, 5))
def test_shifting_headings_keeps_every_line(text: str, by: int) -> None:
    shifted = shift_headings(text, by).split("\n")
    assert [line.lstrip("#") for line in shifted] == [line.lstrip("#") for line in text.split("\n")]


@given(TEXT)
def test_markdown_without_known_titles_is_left_alone(text: str) -> None:
    assert admonitions(text, {"注意": "warning"}) == text
