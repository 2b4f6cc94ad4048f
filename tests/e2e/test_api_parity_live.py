"""The recorded answers are those of the cluster that the course uses: a sample is asked again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import real

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.kind
@pytest.mark.parametrize("only", ["create/node-port", "change/type-there-and-back", "apply/apply-conflict"])
def test_a_real_cluster_answers_as_recorded(only: str, tmp_path: Path) -> None:
    kubeconfig = real().kubeconfig
    target = tmp_path / "parity.json"
    recorder = ROOT / "tools" / "record_parity.py"
    command = [sys.executable, str(recorder), "--kubeconfig", str(kubeconfig), "--only", only, "--output", str(target)]
    subprocess.run(command, check=True, timeout=120)
    assert target.read_text() == (ROOT / "tests/embedded/core/api/parity.json").read_text()
