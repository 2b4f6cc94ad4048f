from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli.root import root

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has never used the course: no cluster, no progress, an empty work folder."""
    for name in ("GRADER_CLUSTER", "GRADER_CONTENT", "NO_COLOR", "FORCE_COLOR", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRADER_WORK", str(tmp_path / "work"))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command line in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(root, list(arguments))

    return invoke
