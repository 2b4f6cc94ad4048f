"""One notebook in a real kernel: cards must be readable where nothing shows HTML."""

import json
import os
import subprocess
import sys
from pathlib import Path

from grader.workflow.session import lab

SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from grader.lessons.formats import nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(source) for source in json.load(sys.stdin)]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
json.dump([cell.outputs for cell in notebook.cells], sys.stdout)
"""


def test_cards_survive_a_real_kernel(tmp_path: Path) -> None:
    environment = {"GRADER_HOME": str(tmp_path / "home"), "GRADER_WORK": str(tmp_path / "work")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(["%load_ext grader", 'check("clusterip")', "!echo $KUBECONFIG"]),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )
    loaded, checked, echoed = json.loads(done.stdout)
    assert [output["output_type"] for output in checked] == ["display_data"]  # the card took the note's place
    for output in (*loaded, *checked):
        assert set(output["data"]) == {"text/plain", "text/html"}
        assert "次に" in output["data"]["text/plain"]
    assert echoed[0]["text"].startswith(str(tmp_path))


def test_the_kernel_of_the_lab_knows_the_course_without_being_told(tmp_path: Path) -> None:
    environment = {
        "GRADER_HOME": str(tmp_path / "home"),
        "GRADER_WORK": str(tmp_path / "work"),
        "JUPYTER_PATH": str(lab.CONFIG),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(['check("clusterip")', "%load_ext grader", "!echo $KUBECONFIG"]),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )
    checked, loaded, echoed = json.loads(done.stdout)
    assert "grader cluster up" in checked[0]["data"]["text/plain"]
    assert [output["output_type"] for output in loaded] == ["display_data"]  # and no "already loaded" in English
    assert echoed[0]["text"].startswith(str(tmp_path))
