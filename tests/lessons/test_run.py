from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import ContentError
from grader.lessons.formats import nbformat
from grader.lessons.run import run_notebook


def test_a_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("number = 41"), nbformat.v4.new_code_cell("%%bash\necho from bash")]
    )
    notebook.cells.append(nbformat.v4.new_code_cell("print(number + 1)"))
    executed = run_notebook(notebook, tmp_path)
    assert executed.notebook.cells[1].outputs[0].text == "from bash\n"
    assert executed.notebook.cells[2].outputs[0].text == "42\n"
    assert not notebook.cells[2].outputs


@pytest.mark.parametrize(
    "commands",
    ["false\necho later", "false | cat\necho later", "! true"],
    ids=["first of two", "in a pipe", "expected to fail, but did not"],
)
def test_a_failing_command_stops_the_run(tmp_path: Path, commands: str) -> None:
    with pytest.raises(ContentError) as caught:
        run_notebook(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"%%bash\n{commands}")]), tmp_path)
    assert caught.value.code == "lesson-cell-failed"


def test_a_command_that_is_expected_to_fail_may_fail(tmp_path: Path) -> None:
    run_notebook(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%%bash\n! false")]), tmp_path)
