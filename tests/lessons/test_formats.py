"""nbformat is there without what makes its import take seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.lessons.formats import nbformat


@pytest.mark.parametrize(
    "module",
    [
        "grader.notebook.extension",
        "grader.lessons.run",
        "grader.workflow.session.labserver",
        "grader.classroom.nbgrader_app",
    ],
)
def test_whoever_needs_notebooks_compiles_no_grammars(module: str) -> None:
    code = f"import {module}, sys; print({{'nbformat', 'rfc3987_syntax', 'lark'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{'nbformat'}\n"


def test_a_notebook_is_still_validated() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    nbformat.validate(notebook)
    notebook.cells[0].cell_type = "no such type"
    with pytest.raises(nbformat.ValidationError):
        nbformat.validate(notebook)
