"""Whatever may happen to a hand-in, there are words for the student and the teacher."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import grader.classroom
from grader import exercises
from grader.classroom.forking import Cause
from grader.classroom.grading import needs_look
from grader.render.card import finding_message, report_card
from grader.text import catalogue, message

CLUSTERIP = exercises.load("clusterip")
REFUSALS = sorted(code for code in catalogue("classroom") if code.startswith("submission-"))


@pytest.mark.parametrize("stage", ["reading", "grading"])
@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.DONE])
def test_each_end_of_a_child_has_words(stage: str, cause: Cause) -> None:
    report = needs_look(CLUSTERIP, f"{stage}-{cause}", reason="KeyError: 'x'")
    assert finding_message(report).next
    assert report_card(report).verdict == "要確認"


@pytest.mark.parametrize("code", REFUSALS)
def test_each_refused_file_has_words_that_name_it(code: str) -> None:
    words = message("classroom", code, {"exercise": "clusterip", "file": "services (1).ipynb"})
    assert code == "submission-too-many-files" or "services (1).ipynb" in words.where


def test_each_code_that_a_reader_names_is_in_the_catalogue_and_none_besides() -> None:
    named = {
        node.value
        for path in Path(grader.classroom.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("submission-")
    }
    assert named == set(REFUSALS)
