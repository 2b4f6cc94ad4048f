"""`watch(...)` in a notebook: a card at every verdict, and an end at the pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from grader import exercises
from grader.notebook import work

CLUSTERIP = next(item for item in exercises.all_exercises() if item.id == "clusterip")


def test_it_ends_when_the_exercise_passes(cluster_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.setenv("GRADER_WORK", str(tmp_path))
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    shown: list[object] = []
    monkeypatch.setattr(work, "put", lambda item: SimpleNamespace(update=shown.append))
    (tmp_path / "clusterip.yaml").write_text(CLUSTERIP.answers[0].text, encoding="utf-8")
    work.watch("clusterip")
    assert "合格" in str(shown[-1])
