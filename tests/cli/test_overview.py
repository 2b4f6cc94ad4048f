"""`grader progress` as a map, its export and import, and the certificate."""

from __future__ import annotations

from pathlib import Path

from grader.workflow.session import progress
from tests.cli.conftest import Run
from tests.render.samples import PASSED


def test_the_progress_is_a_map_of_the_course(run: Run) -> None:
    progress.record(PASSED)
    shown = run("progress").output
    assert "レッスン3 ClusterIP Service  約30分 ・ 演習 1 / " in shown and "レッスン18 " in shown
    assert "grader start stable-endpoint" in shown


def test_the_progress_goes_from_one_place_to_another(run: Run, home: Path) -> None:
    progress.record(PASSED)
    file = home / "mine.json"
    assert run("progress", "export", str(file)).exit_code == 0
    assert run("progress", "export").output == file.read_text(encoding="utf-8")
    progress.path().unlink()
    assert "1個" in run("progress", "import", str(file)).output
    assert progress.load().passed == {"clusterip"}
    before = progress.path().read_bytes()
    file.write_text("[]", encoding="utf-8")
    refused = run("progress", "import", str(file))
    assert refused.exit_code == 2 and "進み具合のファイルではありません" in refused.output
    assert progress.path().read_bytes() == before


def test_a_certificate_is_written_of_what_passed(run: Run, home: Path) -> None:
    assert run("certificate").exit_code == 2
    progress.record(PASSED)
    assert run("certificate", "--name", "花子").exit_code == 0
    assert "花子" in (home / "work" / "certificate.html").read_text(encoding="utf-8")
