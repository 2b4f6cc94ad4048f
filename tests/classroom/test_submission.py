"""A submission is read as data, and nothing in it can hurt."""

from __future__ import annotations

import json
import os
import zipfile
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
    assert read(folder).answers["clusterip"].text == ""


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
    for text in ("__import__('os')", "2026-99-99 10:00:00 UTC", "2026-11-22 10:00:00 PST", "9999-12-31 23:59:59 -0100"):
        (folder / "timestamp.txt").write_text(text)
        found = read(folder)
        assert found.timestamp == ""
        assert ("submission-timestamp", "timestamp.txt") in found.problems


def test_a_timestamp_of_another_zone_is_the_same_instant(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2026-11-22 19:00:00 JST\n")
    assert read(folder).timestamp == "2026-11-22 10:00:00.000000 UTC"
    (folder / "timestamp.txt").write_text("2026-11-22T19:00:00+09:00")
    assert read(folder).timestamp == "2026-11-22 10:00:00.000000 UTC"


def looked_at(folder: Path) -> str:
    problem = read(folder).answers["clusterip"].problem
    return problem[0] if problem else ""


def test_what_cannot_be_read_is_nobodys_zero(folder: Path) -> None:
    path = folder / "clusterip.yaml"
    path.symlink_to("/etc/passwd")
    assert looked_at(folder) == "submission-link"
    path.unlink()
    os.mkfifo(path)
    assert looked_at(folder) == "submission-unreadable"
    path.unlink()
    path.write_bytes(b"#" * (submission.MAX_BYTES + 1))
    assert looked_at(folder) == "submission-too-large"
    path.unlink()
    (folder / "services.ipynb").write_text(json.dumps(notebook([CLUSTERIP]))[:-40])
    assert looked_at(folder) == "submission-notebook-broken"
    path.write_text(ANSWER)
    assert read(folder).answers["clusterip"] == submission.StudentAnswer(ANSWER, "file")


def test_a_folder_that_is_called_like_a_manifest_is_looked_into(folder: Path) -> None:
    (folder / "clusterip.yaml").mkdir()
    (folder / "clusterip.yaml" / "clusterip.yaml").write_text(ANSWER)
    assert read(folder).answers["clusterip"].text == ANSWER


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_an_answer_may_have_any_encoding_that_students_use(folder: Path, encoding: str) -> None:
    text = f"# 解答\n{ANSWER}"
    (folder / "clusterip.yaml").write_bytes(text.encode(encoding))
    found = read(folder)
    assert found.answers["clusterip"].text == text
    assert bool(found.problems) == (encoding in ("cp932", "utf-16"))


@pytest.mark.parametrize(
    "name",
    [
        "clusterip.yml", "clusterip.yaml.txt", "ClusterIP.YAML", "clusterip (1).yaml", "clusterip-1.yaml",
        "clusterip のコピー.yaml", "clusterip.txt", "sub/folder/clusterip.yaml",
    ],
)  # fmt: skip
def test_a_renamed_file_is_graded_and_told_of(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(ANSWER)
    found = read(folder)
    assert found.answers["clusterip"].text == ANSWER
    assert ("submission-renamed", name) in found.problems


def test_a_file_of_another_exercise_is_not_taken(folder: Path) -> None:
    (folder / "clusterip-named-port.yaml").write_text(ANSWER)
    assert looked_at(folder) == "submission-unknown"


def test_a_renamed_notebook_is_graded(folder: Path) -> None:
    (folder / "services (1).ipynb").write_text(with_cell(CLUSTERIP, f"%%apply clusterip\n{ANSWER}"))
    (folder / "services.ipynb").write_text(json.dumps(notebook([CLUSTERIP])))
    assert read(folder).answers["clusterip"].text == ANSWER.strip()


def zipped(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def test_a_zip_is_read_where_it_lies(folder: Path) -> None:
    zipped(folder / "work.zip", {"work/clusterip.yaml": ANSWER, "../../../escape.yaml": "x", "__MACOSX/x": "x"})
    assert read(folder).answers["clusterip"].text == ANSWER
    assert not list(folder.rglob("*.yaml"))


def test_a_student_may_be_one_zip(tmp_path: Path) -> None:
    zipped(tmp_path / "taro.zip", {"clusterip.yaml": ANSWER})
    assert submission.students(tmp_path) == (("taro",), ())
    assert submission.read(tmp_path, "taro", [CLUSTERIP]).answers["clusterip"].text == ANSWER


def test_a_zip_that_is_none_or_a_bomb_is_told_of(folder: Path) -> None:
    (folder / "work.zip").write_bytes(b"PK nothing")
    assert looked_at(folder) == "submission-archive-broken"
    with zipfile.ZipFile(folder / "work.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clusterip.yaml", b"#" * 100_000_000)
    assert looked_at(folder) == "submission-too-large"


def test_the_folder_that_submit_writes_into_may_be_handed_in_as_it_is(folder: Path) -> None:
    (folder / "work" / "submit").mkdir(parents=True)
    (folder / "work" / "submit" / "clusterip.yaml").write_text(ANSWER)
    (folder / "work" / "clusterip.yaml").write_text("kind: Service")
    found = read(folder)
    assert (found.answers["clusterip"].source, found.problems) == ("submit", ())


def test_of_two_answer_cells_the_changed_one_counts_and_two_changed_ones_need_a_look(folder: Path) -> None:
    document = json.loads(with_cell(CLUSTERIP, f"%%apply clusterip\n{ANSWER}"))
    [cell] = [item for item in document["cells"] if item["metadata"].get("nbgrader", {}).get("solution")]
    path = folder / "services.ipynb"
    path.write_text(json.dumps({**document, "cells": [*document["cells"], {**cell, "source": CLUSTERIP.starter}]}))
    assert read(folder).answers["clusterip"].text == ANSWER.strip()
    path.write_text(json.dumps({**document, "cells": [*document["cells"], {**cell, "source": "kind: Service"}]}))
    assert looked_at(folder) == "submission-ambiguous"


def test_a_notebook_that_was_run_and_saved_is_read(folder: Path) -> None:
    document = json.loads(with_cell(CLUSTERIP, f"%%apply clusterip\n{ANSWER}"))
    document["cells"][0]["outputs"] = [{"data": {"text/html": "x" * 3_000_000}}]
    (folder / "services.ipynb").write_text(json.dumps(document))
    assert read(folder).answers["clusterip"].text == ANSWER.strip()


def test_folder_names_that_could_be_formulas_or_paths_are_no_students(tmp_path: Path) -> None:
    names = ("hanako", "山田 太郎", "が", "=cmd()", "-x", "a\x1b[2J", "a\nb", "x" * 201)
    for name in names:
        (tmp_path / name).mkdir()
    good, refused = submission.students(tmp_path)
    assert set(good) == {"hanako", "山田 太郎", "が"}
    assert set(refused) == {*names} - {*good}


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
