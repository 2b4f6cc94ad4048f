"""Why was mine wrong: the way from version to version, and the answer beside the right ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import exercises
from grader.model.exercise import Answer
from grader.workflow.session import history
from grader.workflow.session.lookback import differing, fields, look_back
from grader.workflow.session.start import starter_text

CLUSTERIP = next(item for item in exercises.all_exercises() if item.id == "clusterip")
REFERENCE = CLUSTERIP.answers[0].text
WRONG = next(item for item in CLUSTERIP.wrong if item.name == "selector-typo").text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clusterip.yaml"


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    history.keep(file)


def test_fields_are_compared_not_lines() -> None:
    one, other = (
        fields("kind: A\nmetadata: {name: a}\nb: [1, {c: 2}]\n"),
        fields("{metadata: {name: a}, kind: A, b: [1]}"),
    )
    assert one is not None
    assert other is not None
    assert differing(one, other) == (("A/a b[1].c", "2", ""),)


def test_what_was_changed_on_the_way_to_the_pass_is_shown(file: Path) -> None:
    write(file, WRONG)
    write(file, REFERENCE)
    told = look_back(CLUSTERIP, file.parent)
    assert "1番の版から2番の版へ" in told
    assert "+    app: backend" in told
    assert "内容は模範解答と同じです" in told


def test_an_answer_of_one_s_own_stands_beside_the_reference(file: Path) -> None:
    write(file, REFERENCE.replace("port: 80\n", "port: 80\n      name: http\n"))
    told = look_back(CLUSTERIP, file.parent)
    assert "| `Service/backend-service spec.ports[0].name` | `http` | – |" in told
    assert "番の版から" not in told


@pytest.mark.parametrize("answer", CLUSTERIP.answers[1:], ids=lambda item: item.name)
def test_every_alternative_is_named(file: Path, answer: Answer) -> None:
    write(file, REFERENCE)
    assert f"### {answer.name}" in look_back(CLUSTERIP, file.parent)


def test_where_nothing_was_written_there_is_nothing_to_look_back_on(file: Path) -> None:
    assert look_back(CLUSTERIP, file.parent) == ""
    file.write_text(starter_text(CLUSTERIP), encoding="utf-8")
    assert look_back(CLUSTERIP, file.parent) == ""


def test_what_cannot_be_read_is_left_out(file: Path) -> None:
    write(file, "a: [\n")
    assert "模範解答" not in look_back(CLUSTERIP, file.parent)
