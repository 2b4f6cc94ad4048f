"""What an index shows of the package, as hatchling writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hatchling.build import prepare_metadata_for_build_wheel
from packaging.metadata import Metadata

from grader.paths import content_root


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for metadata, built from the checkout, with no word on where the project is."""
    monkeypatch.chdir(content_root())
    for name in ("REPO_URL", "SITE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def metadata(folder: Path) -> Metadata:
    """Raises an ExceptionGroup where a field breaks the specification."""
    place = folder / prepare_metadata_for_build_wheel(str(folder))
    return Metadata.from_email((place / "METADATA").read_bytes(), validate=True)


def test_it_says_the_licence_the_language_and_for_whom_it_is(written: Path) -> None:
    found = metadata(written)
    assert (found.license_expression, found.license_files) == ("Apache-2.0", ["LICENSE"])
    classifiers = found.classifiers or []
    for wanted in ("Intended Audience :: Education", "Natural Language :: Japanese", "Typing :: Typed"):
        assert wanted in classifiers
    assert not [item for item in classifiers if item.startswith("License ::")]  # an expression stands instead (PEP 639)
    assert found.description_content_type == "text/markdown"


def test_no_url_is_named_where_nobody_says_where_the_project_is(written: Path) -> None:
    assert not metadata(written).project_urls


def test_urls_are_those_of_whoever_builds_it(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPO_URL", "https://git.example/course/")
    monkeypatch.setenv("SITE_URL", "https://course.example/")
    found = metadata(written).project_urls or {}
    assert found["Homepage"] == "https://course.example/"
    assert found["Source"] == "https://git.example/course"
    assert found["Issues"] == "https://git.example/course/issues"
    assert found["Changelog"] == "https://git.example/course/blob/main/CHANGELOG.md"
