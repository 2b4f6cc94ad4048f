from __future__ import annotations

from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grader.lessons.outputs import Outputs, collect, key, read_outputs, write_outputs
from grader.lessons.source import Lesson


def printed(text: str, name: str = "stdout") -> object:
    return new_output("stream", name=name, text=text)


def test_what_a_command_prints_is_collected_without_colours(lesson: Lesson) -> None:
    executed = new_notebook(
        cells=[
            new_markdown_cell("text"),
            new_code_cell("echo", outputs=[printed("\x1b[32mone\x1b[0m\n"), printed("warning\n", "stderr")]),
            new_code_cell("print", outputs=[new_output("display_data", data={"text/html": "<b>card</b>"})]),
            new_markdown_cell("text"),
            new_code_cell("%%apply", outputs=[printed("applied\n")]),
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
