from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.exercises import new, read_folder
from grader.exercises.schema import json_schema
from grader.paths import content_root
from grader.text import catalogue


def test_a_new_exercise_is_one_that_can_be_read_and_lacks_only_wrong_answers(tmp_path: Path) -> None:
    folder = new.lay(tmp_path, "my-first", lesson=3, title="初めてのService")
    exercise = read_folder(folder)
    assert (exercise.id, exercise.lesson, exercise.title) == ("my-first", 3, "初めてのService")
    assert new.lacking(exercise) == {"wrong": len(exercise.wrong)}
    assert {wrong.diagnosis for wrong in exercise.wrong} <= set(catalogue("diagnoses"))
    assert not [path for path in folder.rglob("*") if path.is_file() and "new-exercise" in path.read_text("utf-8")]


def test_what_is_there_is_not_overwritten_and_what_was_interrupted_is_laid_again(tmp_path: Path) -> None:
    folder = new.lay(tmp_path, "mine", lesson=1, title="題")
    (folder / "task.md").write_text("書いたもの", encoding="utf-8")
    with pytest.raises(UsageError, match="exercise-exists"):
        new.lay(tmp_path, "mine", lesson=1, title="題")
    assert (folder / "task.md").read_text(encoding="utf-8") == "書いたもの"
    (folder / "exercise.yaml").unlink()
    assert read_folder(new.lay(tmp_path, "mine", lesson=1, title="題"))


@pytest.mark.parametrize("name", ["", "My", "a_b", "-a", "../a", "a" * 64])
def test_a_name_that_no_namespace_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="exercise-id-bad"):
        new.lay(tmp_path, name, lesson=1, title="題")
    assert not any(tmp_path.iterdir())


def test_the_schema_is_written_as_it_is_published(tmp_path: Path) -> None:
    written = new.write_schema(tmp_path)
    assert json.loads(written.read_text(encoding="utf-8")) == json_schema()
    assert written.read_bytes() == (content_root() / "exercises" / new.SCHEMA).read_bytes()


def test_an_exercise_of_the_course_lacks_what_is_taken_from_it(tmp_path: Path) -> None:
    folder = tmp_path / "clusterip"
    shutil.copytree(content_root() / "exercises" / "clusterip", folder)
    for path in sorted((folder / "wrong").iterdir())[9:]:
        path.unlink()
    assert new.lacking(read_folder(folder)) == {"wrong": 9}
