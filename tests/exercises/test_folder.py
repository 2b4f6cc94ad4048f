"""Exercise folders are read whole, and an error names file, line and field."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader import exercises
from grader.criteria.dns import Dns
from grader.criteria.reach import Reach
from grader.criteria.records import Records
from grader.errors import ContentError, UsageError
from grader.exercises.folder import read_folder
from grader.exercises.new import lacking
from grader.exercises.schema import json_schema
from grader.model.exercise import Broken, Form
from grader.model.report import Hop
from grader.model.vantage import At, Vantage
from grader.paths import content_root
from grader.text import catalogue

FOLDERS = content_root() / "exercises"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "clusterip"
    shutil.copytree(FOLDERS / "clusterip", copied)
    return copied


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def error_of(folder: Path) -> ContentError:
    with pytest.raises(ContentError) as caught:
        read_folder(folder)
    assert caught.value.code == "exercise-malformed"
    return caught.value


def test_every_exercise_of_the_course_is_read_in_order_of_lessons() -> None:
    found = exercises.all_exercises()
    assert [item.lesson for item in found] == sorted(item.lesson for item in found)
    assert {"clusterip", "nodeport", "loadbalancer"} <= {item.id for item in found}
    for item in found:
        assert sum(criterion.points for criterion in item.criteria) == item.points
        assert not lacking(item)
        assert {wrong.diagnosis for wrong in item.wrong} <= set(catalogue("diagnoses"))


def test_an_unknown_exercise_is_a_mistake_of_usage_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        exercises.load("clusterpi")
    assert "clusterip" in caught.value.facts["known"]


def test_the_published_schema_is_what_the_reader_enforces() -> None:
    assert json.loads((FOLDERS / "exercise.schema.json").read_text(encoding="utf-8")) == json_schema()
    assert "answered-by" in json.dumps(json_schema())


def test_an_unknown_key_is_named_with_its_line(folder: Path) -> None:
    edit(folder / "exercise.yaml", "    endpoints: {", "    pionts: 2\n    endpoints: {")
    error = error_of(folder)
    line = (folder / "exercise.yaml").read_text().splitlines().index("    pionts: 2") + 1
    assert error.facts["file"] == "clusterip/exercise.yaml"
    assert (error.facts["field"], error.facts["line"]) == ("criteria.1.pionts", str(line))


def test_yaml_that_cannot_be_read_is_named_with_its_line(folder: Path) -> None:
    (folder / "exercise.yaml").write_text("id: clusterip\n lesson: 3\n", encoding="utf-8")
    assert error_of(folder).facts["line"] == "2"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("points: 8", "points: 9", "add up to 8"),
        ("id: endpoints", "id: service", "unique"),
        ("dns: {name", "reach: {name", "Field required"),
        ("at: name, from: [same-namespace]", "at: name, from: [learner-host]", "cannot be asked from"),
        ("port: 8080, service-port", "port: 80800, service-port", "65535"),
        ("id: clusterip", "id: other", "but the folder is clusterip"),
        ("lesson: 3", "lesson: three", "integer"),
    ],
)
def test_each_inconsistency_is_refused_with_its_reason(folder: Path, old: str, new: str, reason: str) -> None:
    edit(folder / "exercise.yaml", old, new)
    assert reason in error_of(folder).facts["reason"]


@pytest.mark.parametrize(
    "name", ["task.md", "hints.md", "given.yaml", "starter.yaml", "solution.md", "answers/reference.yaml"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert error_of(folder).facts["file"].endswith(name)


def test_a_wrong_answer_names_its_criterion_and_its_diagnosis(folder: Path) -> None:
    path = folder / "wrong" / "selector-typo.yaml"
    edit(path, "# diagnosis: selector-matches-no-pod\n", "")
    assert error_of(folder).facts["field"] == "diagnosis"
    edit(path, "# criterion: endpoints", "# criterion: endpoint\n# diagnosis: selector-matches-no-pod")
    assert "endpoint is not one of" in error_of(folder).facts["reason"]


def test_an_answer_may_be_a_script(folder: Path) -> None:
    (folder / "answers" / "by-hand.sh").write_text("kubectl get pods\n", encoding="utf-8")
    (folder / "wrong" / "nothing.sh").write_text(
        "#!/bin/bash\n# criterion: endpoints\n# diagnosis: service-missing\ntrue\n", encoding="utf-8"
    )
    found = read_folder(folder)
    assert [item.name for item in found.answers if item.form is Form.SCRIPT] == ["by-hand"]
    assert [(item.criterion, item.diagnosis) for item in found.wrong if item.form is Form.SCRIPT] == [
        ("endpoints", "service-missing")
    ]
    assert found.answers[0].name == "reference"


def test_a_reference_may_be_a_script_but_is_given_once(folder: Path) -> None:
    script = folder / "answers" / "reference.sh"
    script.write_text("kubectl get pods\n", encoding="utf-8")
    assert "same name" in error_of(folder).facts["reason"]
    (folder / "answers" / "reference.yaml").unlink()
    assert (read_folder(folder).answers[0].name, read_folder(folder).answers[0].form) == ("reference", Form.SCRIPT)


def test_a_script_is_never_a_manifest_that_was_refused(folder: Path) -> None:
    head = "# criterion: manifest\n# diagnosis: manifest-rejected\n"
    (folder / "wrong" / "refused.sh").write_text(head, encoding="utf-8")
    error = error_of(folder)
    assert (error.facts["file"], error.facts["field"]) == ("clusterip/wrong/refused.sh", "criterion")


def with_keys(folder: Path, text: str) -> None:
    edit(folder / "exercise.yaml", "may-change: [Service]\n", text)


def test_an_exercise_owns_further_namespaces(folder: Path) -> None:
    with_keys(folder, "namespaces: [clusterip-a, clusterip-b]\nmay-change: [Service, clusterip-b/Service]\n")
    found = read_folder(folder)
    assert found.all_namespaces == ("clusterip", "clusterip-a", "clusterip-b")
    assert (found.may_change, found.may_change_there) == (("Service",), {"clusterip-b": ("Service",)})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("namespaces: [other]\n", "clusterip-…"),
        ("namespaces: [clusterip]\n", "different"),
        ("namespaces: [clusterip-a, clusterip-a]\n", "different"),
        ("may-change: [Service, clusterip-a/Service]\n", "not one of `namespaces`"),
        ("namespaces: [clusterip-a]\nmay-change: [clusterip-a/Service]\n", "own Namespace"),
        ("may-change: [service]\n", "pattern"),
        ("ready: {nobody: 1}\n", "no Deployment or StatefulSet nobody"),
        ("ready: {backend: 4}\n", "4 Pods cannot be ready of 3"),
        ("broken: {criterion: nothing, diagnosis: service-missing}\n", "not one of"),
    ],
)
def test_what_names_something_that_is_not_there_is_refused(folder: Path, text: str, reason: str) -> None:
    with_keys(folder, text)
    assert reason in error_of(folder).facts["reason"]


def test_a_given_object_goes_into_a_namespace_of_the_exercise(folder: Path) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: clusterip-a}\n"
    given = folder / "given.yaml"
    lines = len(given.read_text(encoding="utf-8").splitlines())
    given.write_text(f"{given.read_text(encoding='utf-8')}---\n{config}", encoding="utf-8")
    error = error_of(folder)
    assert (error.facts["field"], error.facts["line"]) == ("metadata.namespace", str(lines + 2))
    with_keys(folder, "namespaces: [clusterip-a]\n")
    assert read_folder(folder).namespaces == ("clusterip-a",)


def test_what_is_promised_of_the_ground_is_read(folder: Path) -> None:
    with_keys(folder, "ready: {backend: 1}\nbroken: {criterion: service, diagnosis: service-missing}\n")
    found = read_folder(folder)
    assert found.ready == {"backend": 1}
    assert found.broken == Broken("service", "service-missing")


def test_no_two_exercises_share_a_namespace_and_what_is_promised_has_words() -> None:
    owned = [name for item in exercises.all_exercises() for name in item.all_namespaces]
    assert len(set(owned)) == len(owned)
    promised = {item.broken.diagnosis for item in exercises.all_exercises() if item.broken}
    assert promised <= set(catalogue("diagnoses"))


def test_hints_are_sections(folder: Path) -> None:
    (folder / "hints.md").write_text("## 1\n\nひとつ\n\n## 2\n\nふたつ\n", encoding="utf-8")
    assert read_folder(folder).hints == ("ひとつ", "ふたつ")
    (folder / "hints.md").write_text("ひとつ\n", encoding="utf-8")
    assert "##" in error_of(folder).facts["reason"]


def criteria(folder: Path, text: str) -> None:
    head = "id: clusterip\nlesson: 3\ntitle: 題\npoints: 1\ncriteria:\n"
    (folder / "exercise.yaml").write_text(head + text, encoding="utf-8")
    shutil.rmtree(folder / "wrong")


def test_a_negated_reach_from_outside_needs_a_control(folder: Path) -> None:
    reach = "{service: a, port: 80, at: node-port, from: [outside-client], answered-by: {app: a}%s}"
    criteria(folder, f"  - id: closed\n    points: 1\n    not: {{reach: {reach % ''}}}\n")
    assert "control" in error_of(folder).facts["reason"]
    control = ", control: {service: b, port: 80, at: node-port, from: [outside-client], answered-by: {app: b}}"
    criteria_text = f"  - id: closed\n    points: 1\n    not: {{reach: {reach % control}}}\n"
    (folder / "wrong").mkdir()
    criteria(folder, criteria_text)
    found = read_folder(folder).criteria[0]
    assert found.negated
    assert isinstance(found.expect, Reach)
    assert found.expect.control is not None
    assert (found.expect.at, found.expect.sources) == (At.NODE_PORT, (Vantage.OUTSIDE_CLIENT,))
    assert found.hop is Hop.OUTSIDE_CLIENT


def test_exactly_one_kind_of_expectation_is_given(folder: Path) -> None:
    criteria(
        folder, "  - id: both\n    points: 1\n    dns: {name: a, from: same-namespace, is: nothing}\n    not: {}\n"
    )
    assert "exactly one" in error_of(folder).facts["reason"]
    (folder / "wrong").mkdir()
    criteria(folder, "  - id: one\n    points: 1\n    dns: {name: a.b, from: same-namespace, is: [192.0.2.1]}\n")
    expect = read_folder(folder).criteria[0].expect
    assert isinstance(expect, Dns)
    assert (expect.service, expect.is_, expect.type) == ("a", Records(("192.0.2.1",)), "A")
