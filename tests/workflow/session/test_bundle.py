"""`grader bundle` writes what `tools/install.py` reads."""

from __future__ import annotations

import runpy
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.errors import EnvironmentError_, UsageError
from grader.paths import content_root
from grader.workflow.session import bundle

INSTALL = content_root() / "tools" / "install.py"


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package index has one wheel."""

    def download(root: Path, wheels: Path, target: bundle.Platform) -> None:
        wheels.mkdir()
        (wheels / "kubectl.whl").write_bytes(b"kubectl")

    monkeypatch.setattr(bundle, "download", download)


@pytest.fixture
def offline() -> Callable[[str], Any]:
    return runpy.run_path(str(INSTALL))["offline"]  # type: ignore[no-any-return]


@pytest.mark.usefixtures("downloaded")
def test_one_file_holds_the_course_and_its_wheels(tmp_path: Path, offline: Callable[[str], Any]) -> None:
    file = tmp_path / "course.tar"
    assert bundle.bundle(file) == file.stat().st_size
    assert list(tmp_path.iterdir()) == [file]
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
        assert all(not member.uname and member.uid == 0 for member in archive)
    inside = {f"kubernetes-services-course/{name}" for name in ("Makefile", "tools/install.py", "course/01-why.md")}
    assert inside | {"wheels/kubectl.whl", "bundle.json"} <= names
    assert not any("__pycache__" in name or "/tests/" in name or "/." in name for name in names)
    with offline(str(file)) as options:
        assert options[:2] == ("--no-index", "--find-links")
        assert (Path(options[2]) / "kubectl.whl").read_bytes() == b"kubectl"
    assert not Path(options[2]).exists()


@pytest.mark.usefixtures("downloaded")
def test_a_bundle_for_another_python_is_told_before_anything_is_installed(
    tmp_path: Path, offline: Callable[[str], Any]
) -> None:
    bundle.bundle(tmp_path / "course.tar", bundle.Platform("3.9"))
    with pytest.raises(SystemExit, match=r"Python 3\.9用です"), offline(str(tmp_path / "course.tar")):
        pass


def test_a_broken_bundle_is_told(tmp_path: Path, offline: Callable[[str], Any]) -> None:
    (tmp_path / "course.tar").write_bytes(b"half")
    for name in ("course.tar", "nowhere.tar"):
        with pytest.raises(SystemExit, match="読めませんでした"), offline(str(tmp_path / name)):
            pass
    with offline("") as options:
        assert options == ()


def test_a_download_that_fails_leaves_the_former_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "course.tar"
    file.write_text("before", encoding="utf-8")

    def refuse(root: Path, wheels: Path, target: bundle.Platform) -> None:
        raise EnvironmentError_("bundle-download")

    monkeypatch.setattr(bundle, "download", refuse)
    with pytest.raises(EnvironmentError_):
        bundle.bundle(file)
    assert list(tmp_path.iterdir()) == [file] and file.read_text(encoding="utf-8") == "before"


def test_a_course_without_its_sources_cannot_be_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_CONTENT", str(tmp_path))
    with pytest.raises(UsageError, match="bundle-no-checkout"):
        bundle.bundle(tmp_path / "course.tar")
