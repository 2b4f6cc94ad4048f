"""Values that differ from learner to learner: always from the lists, always the same, and the first for nobody."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import exercises
from grader.criteria.endpoints import Endpoints
from grader.errors import ContentError
from grader.exercises.folder import read_folder
from grader.exercises.vary import choose, fill, names
from grader.model.exercise import Form
from grader.paths import content_root

NAMES = ["backend-service", "catalog", "stock"]
PORTS = [80, 8000, 9090]
DECLARED = {"SERVICE": NAMES, "PORT": PORTS}
VARIED = [item for item in exercises.all_exercises() if item.values]


def vary(folder: Path) -> None:
    """Make the exercise's Service name and port vary."""
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("backend-service", "${SERVICE}")
            text = re.sub(r"port: 80\b", "port: ${PORT}", text)
            path.write_text(text, encoding="utf-8")
    path = folder / "exercise.yaml"
    head = "vary:\n  SERVICE: [backend-service, catalog, stock]\n  PORT: [80, 8000, 9090]\nlesson: 3\n"
    path.write_text(path.read_text(encoding="utf-8").replace("lesson: 3\n", head), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("varied") / "clusterip"
    shutil.copytree(content_root() / "exercises" / "clusterip", copied)
    vary(copied)
    return copied


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(folder, tmp_path / "clusterip"))


def error_of(folder: Path, learner: str = "") -> ContentError:
    with pytest.raises(ContentError) as caught:
        read_folder(folder, learner)
    return caught.value


@given(learner=st.text(), values=st.lists(st.one_of(st.integers(), st.text(min_size=1)), min_size=1, unique_by=str))
def test_a_learner_gets_one_of_the_values_and_keeps_it(learner: str, values: list[str | int]) -> None:
    chosen = choose(learner, "clusterip", "PORT", values)
    assert chosen in map(str, values)
    assert chosen == choose(learner, "clusterip", "PORT", values)


@given(values=st.lists(st.integers(), min_size=1))
def test_nobody_gets_the_first_of_the_values(values: list[int]) -> None:
    assert choose("", "clusterip", "PORT", values) == str(values[0])


def test_the_choice_is_the_same_on_every_machine_and_in_every_version() -> None:
    chosen = [choose(f"student-{number}", "clusterip", "PORT", PORTS) for number in range(6)]
    assert chosen == ["80", "9090", "9090", "80", "9090", "8000"]


def test_learners_are_spread_over_the_values_and_variables_are_chosen_apart() -> None:
    pairs = Counter(
        (choose(str(number), "a", "ONE", "abc"), choose(str(number), "a", "TWO", "abc")) for number in range(900)
    )
    assert len(pairs) == 9
    assert min(pairs.values()) > 50


@given(text=st.text(alphabet="ab${}_ABC \n"), values=st.dictionaries(st.sampled_from("ABC"), st.sampled_from("xyz")))
def test_filling_keeps_lines_and_leaves_other_names_alone(text: str, values: dict[str, str]) -> None:
    filled = fill(text, values)
    assert filled.count("\n") == text.count("\n")
    assert names(filled) == names(text) - set(values) or "${" in filled
    assert fill(filled, values) == filled or names(filled) & set(values)
    assert fill(text, {}) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(learner=st.text())
def test_any_learner_gets_an_exercise_that_agrees_with_itself(folder: Path, learner: str) -> None:
    found = read_folder(folder, learner)
    assert found == read_folder(folder, learner)
    assert found.values["SERVICE"] in NAMES
    assert int(found.values["PORT"]) in PORTS
    endpoints = next(item.expect for item in found.criteria if isinstance(item.expect, Endpoints))
    assert (endpoints.service, str(endpoints.service_port)) == (found.values["SERVICE"], found.values["PORT"])
    texts = [found.task, found.starter, found.given, *found.hints, *(answer.text for answer in found.answers)]
    assert not any(names(text) for text in texts)
    assert f"name: {found.values['SERVICE']}\n" in found.answers[0].text


def test_the_canonical_exercise_has_the_first_values_and_belongs_to_nobody(folder: Path) -> None:
    found = read_folder(folder)
    assert found.values == {"SERVICE": "backend-service", "PORT": "80"}
    assert found.learner == ""
    plain = read_folder(content_root() / "exercises" / "clusterip")
    assert (found.task, found.criteria, found.answers) == (plain.task, plain.criteria, plain.answers)
    assert read_folder(folder, "taro").learner == "taro"


def test_an_exercise_that_does_not_vary_belongs_to_nobody() -> None:
    assert exercises.load("clusterip", "taro") == exercises.load("clusterip")


def test_a_name_that_is_not_declared_is_an_error_but_in_a_script(own: Path) -> None:
    script = own / "answers" / "by-hand.sh"
    script.write_text("kubectl get service ${SERVICE} -o ${FORMAT}\n", encoding="utf-8")
    answer = next(item for item in read_folder(own).answers if item.form is Form.SCRIPT)
    assert answer.text == "kubectl get service backend-service -o ${FORMAT}\n"
    hints = own / "hints.md"
    lines = len(hints.read_text(encoding="utf-8").splitlines())
    hints.write_text(f"{hints.read_text(encoding='utf-8')}${{PROT}}\n", encoding="utf-8")
    facts = error_of(own).facts
    assert (facts["file"], facts["line"], facts["field"]) == ("clusterip/hints.md", str(lines + 1), "PROT")


def test_a_name_that_is_never_used_is_an_error(own: Path) -> None:
    path = own / "exercise.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("vary:\n", "vary:\n  COUNT: [2, 3]\n"), encoding="utf-8")
    facts = error_of(own).facts
    line = path.read_text(encoding="utf-8").splitlines().index("  COUNT: [2, 3]") + 1
    assert (facts["field"], facts["line"]) == ("vary.COUNT", str(line))


def test_an_error_behind_a_value_is_named_with_its_line(own: Path) -> None:
    path = own / "exercise.yaml"
    text = path.read_text(encoding="utf-8").replace("count: 3}", "count: 3, odd: 1}")
    path.write_text(text, encoding="utf-8")
    line = next(number for number, found in enumerate(text.splitlines(), 1) if "odd: 1" in found)
    for learner in ("", "taro", "hanako"):
        assert error_of(own, learner).facts["line"] == str(line)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("  SERVICE: one\n", "list of values"),
        ("  SERVICE: []\n", "list of values"),
        ("  SERVICE: [one]\n", "at least 2"),
        ("  SERVICE: [one, one]\n", "must be different"),
        ("  SERVICE: ['80', 80]\n", "must be different"),
        ('  SERVICE: [one, "two\\nthree"]\n', "pattern"),
        ("  SERVICE: [one, '${PORT}']\n", "must not itself hold"),
        ("  SERVICE: [one, two]\n  service: [one, two]\n", "pattern"),
    ],
)
def test_what_varies_is_checked(own: Path, declared: str, reason: str) -> None:
    path = own / "exercise.yaml"
    text = path.read_text(encoding="utf-8").replace("  SERVICE: [backend-service, catalog, stock]\n", declared)
    path.write_text(text, encoding="utf-8")
    assert reason in error_of(own).facts["reason"]


@pytest.mark.parametrize("exercise", VARIED, ids=[item.id for item in VARIED])
@pytest.mark.parametrize("learner", [f"student-{number}" for number in range(5)])
def test_every_exercise_that_varies_can_be_read_for_any_learner(exercise: object, learner: str) -> None:
    found = exercises.load(getattr(exercise, "id"), learner)  # noqa: B009
    for text in (found.task, found.given, found.starter, *found.hints):
        assert not names(text) & set(found.values)
