"""`python3 tools/install.py`, before there is a `.venv`: what it says where it cannot go on, and that it is alone."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.paths import content_root
from tools import install

INSTALL = content_root() / "tools" / "install.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone whose locks name nothing."""
    (tmp_path / "tools").mkdir()
    shutil.copy(INSTALL, tmp_path / "tools")
    (tmp_path / "requirements").mkdir()
    for name in ("install", "learner", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def begin(checkout: Path, before: str = "") -> subprocess.Popen[str]:
    """Run it after some code of ours, which stands for what the machine is like."""
    code = "import runpy, signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += f"sys.argv = ['install.py', 'learner']\n{before}\n"
    code += f"runpy.run_path({str(checkout / 'tools' / 'install.py')!r}, run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and all that it printed."""
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out + err


@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
def test_a_python_without_venv_is_told_what_to_install(checkout: Path, missing: str) -> None:
    status, text = said(begin(checkout, f"sys.modules[{missing!r}] = None"))
    assert status == 1
    assert all(part in text for part in ("何が", "どこで", "次に", f"python3.{sys.version_info[1]}-venv"))


def test_ctrl_c_is_told_in_a_sentence(checkout: Path) -> None:
    hanging = "import types, time; m = types.ModuleType('venv'); sys.modules['venv'] = m\n"
    hanging += "m.create = lambda *a, **k: time.sleep(60)"
    process = begin(checkout, hanging)
    assert process.stdout is not None
    assert ".venv" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    status, text = said(process)
    assert status == 130
    assert "中断" in text and "もう一度" in text


def test_the_second_of_two_waits_for_the_first(checkout: Path) -> None:
    with open(checkout / ".venv.lock", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = begin(checkout, "sys.modules['ensurepip'] = None")
        assert process.stdout is not None
        assert "待ちます" in process.stdout.readline()
        time.sleep(0.05)
        assert process.poll() is None
    assert "ensurepip" in said(process)[1]


@pytest.mark.parametrize("keeps_none", [True, False])
def test_packages_are_compiled_at_once_where_python_keeps_nothing_later(
    keeps_none: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(install, "run", lambda *command: commands.append(command))
    monkeypatch.setattr(sys, "dont_write_bytecode", keeps_none)
    install.packages("learner", ())
    (locked,) = [command for command in commands if command[-1].endswith("learner.txt")]
    assert ("--compile-bytecode" in locked) is keeps_none
