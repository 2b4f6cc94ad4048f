from __future__ import annotations

import re
from collections.abc import Mapping

from grader.exercises import all_exercises
from grader.lessons.outputs import Outputs, key
from grader.lessons.page import SHELL, catalogue_page, exercise_page, lesson_page
from grader.lessons.source import Lesson, read_lessons
from grader.model.exercise import Exercise
from grader.paths import content_root


def test_a_page_has_admonitions_and_no_notebook_syntax(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    page = lesson_page(lesson, exercises, Outputs())
    assert '!!! question "予想してみよう"\n\n    どうなるでしょうか。' in page
    assert "%%bash" not in page
    assert "jupyter:" not in page
    assert "<!-- exercise" not in page
    assert "```bash\necho one\n```" in page
    assert exercises["clusterip"].title in page


def test_a_command_shows_what_was_recorded_for_it(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    outputs = Outputs("kind", "v1.36.3", {key(lesson.cells[1]): "one\n"})
    page = lesson_page(lesson, exercises, outputs)
    assert '??? example "実行結果(kind v1.36.3)"\n\n    ```text\n    one\n    ```' in page


def test_an_edited_command_loses_its_old_output(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    page = lesson_page(lesson, exercises, Outputs("kind", "v1.36.3", {"000000000000": "one\n"}))
    assert "実行結果" not in page


def test_an_exercise_page_keeps_its_hints_closed_and_tells_no_answer(exercises: Mapping[str, Exercise]) -> None:
    for exercise in exercises.values():
        page = exercise_page(exercise, None)
        assert page.count('??? tip "') == len(exercise.hints)
        assert exercise.answers[0].text.strip() not in page
        assert exercise.title in page


def test_the_catalogue_lists_every_exercise_with_points_and_lesson(exercises: Mapping[str, Exercise]) -> None:
    lessons = {lesson.number: lesson for lesson in read_lessons()}
    page = catalogue_page(exercises.values(), lessons)
    for exercise in exercises.values():
        row = next(line for line in page.splitlines() if f"]({exercise.id}.md)" in line)
        assert row.endswith(f"| {exercise.points:g} |")
        assert f"({'../lessons/' + lessons[exercise.lesson].slug}.md)" in row


def test_the_site_names_every_lesson_and_exercise_in_order() -> None:
    config = (content_root() / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    index = (content_root() / "site" / "pages" / "index.md").read_text(encoding="utf-8")
    lessons = [f"lessons/{lesson.slug}.md" for lesson in read_lessons()]
    assert [line.strip(" -") for line in config.splitlines() if line.strip().startswith("- lessons/")] == lessons
    assert re.findall(r"\((lessons/[^)]+)\)", index) == lessons
    shown = [line.strip(" -") for line in config.splitlines() if line.strip().startswith("- exercises/")]
    assert shown[:2] == ["exercises/index.md", "exercises/soundness.md"]
    assert shown[2:] == [f"exercises/{exercise.id}.md" for exercise in all_exercises()]


def first_shell_block_with(page: str, command: str) -> int | None:
    blocks = re.finditer(r"^ *```(?:bash|sh)\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    return next((block.start() + block[0].index(command) for block in blocks if command in block[0]), None)


def test_a_shell_is_set_to_the_course_before_its_first_kubectl(exercises: Mapping[str, Exercise]) -> None:
    lessons = {lesson.slug: lesson_page(lesson, exercises, Outputs()) for lesson in read_lessons()}
    tasks = {exercise.id: exercise_page(exercise, None) for exercise in exercises.values()}
    own = {path.name: path.read_text(encoding="utf-8") for path in (content_root() / "site" / "pages").glob("*.md")}
    late = []
    for name, page in {**lessons, **tasks, **own}.items():
        kubectl, shell = (first_shell_block_with(page, command) for command in ("kubectl ", SHELL))
        if kubectl is not None and (shell is None or shell > kubectl):
            late.append(name)
    assert late == []
