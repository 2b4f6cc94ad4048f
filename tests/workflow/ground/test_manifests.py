"""A learner's text is read safely: objects with their lines, or an error that says where."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import ManifestError
from grader.text import message
from grader.workflow.ground.manifests import read_documents


def error_of(text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        read_documents(text)
    error = caught.value
    assert str(message("diagnoses", error.code, error.facts))
    return error


def test_documents_and_items_of_a_list_are_objects_with_lines() -> None:
    text = "# a comment\nkind: A\n---\n---\nkind: List\nitems:\n  - kind: B\n  - kind: C\n"
    assert [(item.line, item.content["kind"]) for item in read_documents(text)] == [(2, "A"), (5, "B"), (5, "C")]


def test_json_is_yaml() -> None:
    assert read_documents(json.dumps({"kind": "A"}, indent=1))[0].content == {"kind": "A"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "\n\n"])
def test_nothing_at_all_is_told_apart_from_what_cannot_be_read(text: str) -> None:
    assert error_of(text).code == "manifest-empty"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n b: 2\n", "2", "字下げ"),
        ("a: b: c\n", "1", "キー: 値"),
        ("a:\n\t- b\n", "2", "タブ"),
        ("a: [1, 2\nb: 3\n", "2", "閉じて"),
        ("a: 'b\n", "2", "引用符"),
        ("a: 1\nb: 2\na: 3\n", "3", "キーa"),
        ("a: *nobody\n", "1", "別名"),
    ],
)
def test_an_error_says_the_line_and_what_is_the_matter(text: str, line: str, words: str) -> None:
    error = error_of(text)
    assert (error.code, error.facts["line"]) == ("manifest-unreadable", line)
    assert words in error.facts["reason"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_without_end_is_refused_and_not_the_end_of_the_process(opening: str) -> None:
    # libyaml's composer recurses: 50 kB of this was a SIGSEGV, so it is read in a process of its own
    program = f"from grader.workflow.ground.manifests import read_documents; read_documents({opening!r} * 50_000)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, "manifest-unreadable" in done.stderr) == (1, True)


def test_dates_stay_text() -> None:
    assert read_documents("a: 2026-01-01\n")[0].content == {"a": "2026-01-01"}


def test_aliases_that_multiply_and_aliases_of_themselves_are_refused() -> None:
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert error_of(laughs).code == "manifest-unreadable"
    assert error_of("a: &a [*a]\n").code == "manifest-unreadable"


@pytest.mark.parametrize(
    "text", ["[" * 2000, "a: " * 3000, "x" * 600_000, "? " * 3000, "a: !!python/object:os.system x"]
)
def test_texts_made_to_break_the_reader_are_errors(text: str) -> None:
    assert error_of(text).code == "manifest-unreadable"


@settings(deadline=None)
@given(st.text(st.sampled_from("ab:- \n\t[]{}&*#'\"!?|>,%@1\x00é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_documents(text)
    except ManifestError:
        return
    assert json.dumps([item.content for item in found])
