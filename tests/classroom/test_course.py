"""A course folder: nbgrader's configuration does what it should on each of nbgrader's pages, and is laid once."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is the optional extra `classroom`")

from nbconvert.exporters import HTMLExporter
from nbgrader.converters import GenerateFeedback
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config, PyFileConfigLoader

from grader import exercises
from grader.classroom import ASSIGNMENT
from grader.classroom.assignment import create
from grader.errors import UsageError

ALL = tuple(exercises.load(name) for name in ("clusterip", "nodeport"))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    create(tmp_path, ALL)
    return tmp_path


def config(course: Path) -> Config:
    return Config(PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config())


def test_grading_by_hand_has_its_own_page_and_asks_no_other_host(course: Path) -> None:
    own = Config()  # as FormgradeExtension.build_extra_config has it; what the course says wins over it
    own.HTMLExporter.template_name = "formgrade"
    own.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    own.merge(config(course))
    exporter = HTMLExporter(config=own)
    assert exporter.template_name == "formgrade"
    assert exporter.environment.get_template("formgrade_macros.html.j2")
    assert exporter.environment.get_template("mathjax.html.j2").module.mathjax() == ""  # type: ignore[attr-defined]


def test_feedback_has_the_page_in_japanese(course: Path) -> None:
    feedback = GenerateFeedback(config=config(course))
    exporter = feedback.exporter_class(config=feedback.config)
    assert Path(str(exporter.template.filename)).parent.name == "feedback_ja"


def test_another_choice_of_exercises_takes_nothing_away(course: Path) -> None:
    released = course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_text("what students have")
    with pytest.raises(UsageError, match="course-other-exercises"):
        create(course, ALL[:1])
    create(course, ALL)
    assert released.read_text() == "what students have"


def test_settings_of_a_teachers_own_stay(course: Path) -> None:
    path = course / "nbgrader_config.py"
    path.write_text(path.read_text() + "c.Exchange.root = '/srv/exchange'\n")
    create(course, ALL)
    assert config(course).Exchange.root == "/srv/exchange"


def test_somebody_elses_course_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    with pytest.raises(UsageError, match="course-folder-taken"):
        create(tmp_path, ALL)
