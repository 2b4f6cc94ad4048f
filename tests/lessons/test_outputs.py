from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.lessons.formats import nbformat
from grader.lessons.outputs import Outputs, collect, key, read_outputs, write_outputs
from grader.lessons.source import Lesson, lessons_root, read_lessons


def printed(text: str, name: str = "stdout") -> object:
    return nbformat.v4.new_output("stream", name=name, text=text)


def test_what_a_command_prints_is_collected_without_colours_and_carriage_returns(lesson: Lesson) -> None:
    executed = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("text"),
            nbformat.v4.new_code_cell(
                "echo", outputs=[printed("\x1b[32mone\x1b[0m\r\n"), printed("warning\n", "stderr")]
            ),
            nbformat.v4.new_code_cell(
                "print", outputs=[nbformat.v4.new_output("display_data", data={"text/html": "<b>card</b>"})]
            ),
            nbformat.v4.new_markdown_cell("text"),
            nbformat.v4.new_code_cell("%%apply", outputs=[printed("applied\n")]),
        ]
    )
    outputs = collect(lesson, executed, "kind", "v1.36.3")
    assert outputs == Outputs("kind", "v1.36.3", {key(lesson.cells[1]): "one\nwarning\n"})


def test_what_was_written_is_read_back(lesson: Lesson, tmp_path: Path) -> None:
    outputs = Outputs("kind", "v1.36.3", {"0123456789ab": "出力\n"})
    write_outputs(tmp_path, lesson, outputs)
    assert read_outputs(tmp_path, lesson) == outputs


def test_without_a_record_there_are_no_outputs(lesson: Lesson, tmp_path: Path) -> None:
    assert read_outputs(tmp_path, lesson) == Outputs()


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_every_recorded_output_belongs_to_a_command_of_today(lesson: Lesson) -> None:
    recorded = read_outputs(lessons_root(), lesson)
    assert recorded.version.startswith("v1.")
    assert set(recorded.by_cell) <= {key(cell) for cell in lesson.cells if cell.is_code}


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_recorded_outputs_name_no_folder_of_the_machine_that_recorded_them(lesson: Lesson) -> None:
    text = "".join(read_outputs(lessons_root(), lesson).by_cell.values())
    assert not re.search(r"/(?:home|root|tmp|Users)/", text)
