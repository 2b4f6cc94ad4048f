"""A submission is read as data, and nothing in it can hurt."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import exercises
from grader.classroom import ASSIGNMENT, submission
from grader.classroom.assignment import notebook
from grader.model.exercise import Exercise

CLUSTERIP = exercises.load("clusterip")
ANSWER = CLUSTERIP.answers[0].text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "taro" / ASSIGNMENT
    home.mkdir(parents=True)
    return home


def read(folder: Path) -> submission.Submission:
    return submission.read(folder.parent.parent, "taro", [CLUSTERIP])


def with_cell(exercise: Exercise, source: str) -> str:
    document = notebook([exercise])
    for cell in document.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"answer-{exercise.id}":
            cell.source = source
    return json.dumps(document)


def test_the_changed_answer_cell_is_the_answer(folder: Path) -> None:
    (folder / "services.ipynb").write_text(with_cell(CLUSTERIP, f"%%apply clusterip\n{ANSWER}"))
    answer = read(folder).answers["clusterip"]
    assert (answer.source, answer.text) == ("cell", ANSWER.strip())


def test_an_unchanged_answer_cell_is_no_answer(folder: Path) -> None:
    (folder / "services.ipynb").write_text(json.dumps(notebook([CLUSTERIP])))
    assert read(folder).answers["clusterip"].source == "none"


def test_an_exported_manifest_wins_over_the_cell(folder: Path) -> None:
    (folder / "services.ipynb").write_text(with_cell(CLUSTERIP, f"%%apply clusterip\n{ANSWER}"))
    (folder / "submit").mkdir()
    (folder / "submit" / "clusterip.yaml").write_text("kind: Service")
    assert read(folder).answers["clusterip"].source == "submit"


def test_a_work_file_counts_where_the_cell_was_not_touched(folder: Path) -> None:
    (folder / "services.ipynb").write_text(json.dumps(notebook([CLUSTERIP])))
    (folder / "clusterip.yaml").write_text(ANSWER)
    assert read(folder).answers["clusterip"].source == "file"


def test_an_empty_folder_is_an_empty_submission(folder: Path) -> None:
    found = read(folder)
    assert found.answers["clusterip"].text == ""
    assert found.problems == ()


def test_a_symbolic_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "gradebook.db"
    secret.write_text("kind: Secret")
    (folder / "clusterip.yaml").symlink_to(secret)
    found = read(folder)
    assert found.answers["clusterip"].text == ""
    assert ("submission-link", "clusterip.yaml") in found.problems


def test_a_linked_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "clusterip.yaml").write_text(ANSWER)
    (folder / "submit").symlink_to(elsewhere)
    assert ("submission-link", "submit/clusterip.yaml") in read(folder).problems


def test_a_pipe_does_not_block_the_reader(folder: Path) -> None:
    os.mkfifo(folder / "clusterip.yaml")
    assert ("submission-unreadable", "clusterip.yaml") in read(folder).problems


def test_a_huge_file_is_refused(folder: Path) -> None:
    (folder / "clusterip.yaml").write_bytes(b"#" * (submission.MAX_BYTES + 1))
    assert ("submission-too-large", "clusterip.yaml") in read(folder).problems


def test_bytes_that_are_not_text_are_refused(folder: Path) -> None:
    (folder / "clusterip.yaml").write_bytes(b"\xff\xfe\x00kind")
    assert ("submission-not-text", "clusterip.yaml") in read(folder).problems


def test_a_timestamp_that_is_not_one_is_dropped(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2026-11-22 10:00:00.000000 UTC\n")
    assert read(folder).timestamp == "2026-11-22 10:00:00.000000 UTC"
    (folder / "timestamp.txt").write_text("__import__('os')")
    assert read(folder).timestamp == ""


def test_folder_names_that_could_be_formulas_or_paths_are_no_students(tmp_path: Path) -> None:
    for name in ("hanako", "=cmd()", "a b", "-x"):
        (tmp_path / name).mkdir()
    good, refused = submission.students(tmp_path)
    assert good == ("hanako",)
    assert set(refused) == {"=cmd()", "a b", "-x"}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(document=ODD)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_notebook_makes_the_reader_raise(folder: Path, document: Any) -> None:
    (folder / "services.ipynb").write_text(json.dumps(document))
    assert read(folder).answers["clusterip"].source == "none"
