"""`make start` over SSH or on a desktop."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest

from grader.cluster.provider import silent
from grader.errors import ToolMissing
from grader.workflow.session import lab


def test_no_browser_over_ssh_even_on_a_desktop_system() -> None:
    assert not lab.has_browser({"SSH_CONNECTION": "1 2 3 4", "DISPLAY": ":0"}, "linux")
    assert not lab.has_browser({"SSH_CONNECTION": "1 2 3 4"}, "darwin")


def test_a_browser_on_a_desktop() -> None:
    assert lab.has_browser({"DISPLAY": ":0"}, "linux")
    assert lab.has_browser({}, "darwin")
    assert not lab.has_browser({}, "linux")


def test_the_lab_opens_the_first_lesson_and_hands_options_on() -> None:
    command = lab.command(Path("work"), Path("work/lessons/03.ipynb"), ("--port=9999",), browser=False)
    assert "--LabApp.default_url=/lab/tree/lessons/03.ipynb" in command
    assert "--no-browser" in command
    assert command[-1] == "--port=9999"


def test_a_machine_without_jupyterlab_is_told_before_a_cluster_is_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    monkeypatch.setattr(lab, "cluster", lambda name, progress: pytest.fail("a cluster is brought up"))
    with pytest.raises(ToolMissing) as told:
        lab.prepare("services-course", (), silent)
    assert told.value.code == "lab-missing"


def test_what_jupyterlab_is_given_is_there() -> None:
    assert "--LabApp.custom_css=True" in lab.command(Path("work"), Path("work/a.ipynb"), (), browser=True)
    assert any("static_custom_path" in item for item in lab.command(Path("w"), Path("w/a.ipynb"), (), browser=True))
    style = (lab.CONFIG / "custom" / "custom.css").read_text(encoding="utf-8")
    assert "white-space: pre;" in style and "invert(1)" in style
    settings = json.loads((lab.CONFIG / "labconfig" / "default_setting_overrides.json").read_text(encoding="utf-8"))
    assert settings["@jupyterlab/notebook-extension:tracker"]["codeCellConfig"]["indentUnit"] == "2"


def test_a_terminal_of_jupyterlab_is_the_courses_shell_or_a_plain_one() -> None:
    (told,) = [
        item for item in lab.command(Path("work"), Path("work/a.ipynb"), (), browser=True) if "terminado" in item
    ]
    shell = ast.literal_eval(told.partition("=")[2])["shell_command"]
    assert shell[:2] == ["/bin/sh", "-c"] and "-m grader.cli shell && exit\n" in shell[2]
    subprocess.run(["/bin/sh", "-n", "-c", shell[2]], check=True)
