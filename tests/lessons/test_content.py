"""The exercises' prose against their criteria: a task names everything the checker looks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from grader.criteria.affinity import Affinity
from grader.criteria.call import Call
from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.env import Env
from grader.criteria.local import Local
from grader.criteria.object import Object
from grader.criteria.reach import Reach
from grader.criteria.records import PodsOf, Records
from grader.criteria.source import Source
from grader.exercises import all_exercises, load
from grader.model.exercise import Criterion, Exercise
from grader.model.vantage import ConfigKey

EXERCISES = all_exercises()
MINIMUM_WRONG = 10
MINIMUM_ANSWERS = 3
MINIMUM_HINTS = 3


def named(task: str) -> set[str]:
    """Everything that a task names as code, whole and in words."""
    spans = set(re.findall(r"`([^`]+)`", task))
    return spans | {word for span in spans for word in re.split(r"[\s/]+", span)}


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


def values(criterion: Criterion) -> Iterator[str]:
    match criterion.expect:
        case Object() as wanted:
            yield wanted.name
            yield from (leaf for leaf in leaves(wanted.matches) if leaf != "TCP")
        case Endpoints() as wanted:
            yield wanted.service
            yield str(wanted.port)
            yield from labels(wanted.pods)
            yield from labels(wanted.among)
            yield from filter(None, [wanted.pods_in])
        case Dns() as wanted:
            yield wanted.service
            yield from written(wanted.name)
            if isinstance(wanted.is_, Records):
                yield from (word.rstrip(".") for record in wanted.is_.data for word in record.split())
            if isinstance(wanted.is_, PodsOf):
                yield from labels(wanted.is_.labels)
        case Reach() | Local() | Affinity() as wanted:
            yield wanted.service
            yield str(wanted.port)
            yield from labels(wanted.answered_by)
        case Call() as wanted:
            yield from written(wanted.to)
            yield from labels(wanted.answered_by)
        case Source() as wanted:
            yield wanted.service
            yield str(wanted.port)
        case Env() as wanted:
            yield wanted.service
            yield from labels(wanted.pods)


def written(name: str | ConfigKey) -> Iterator[str]:
    """A name that the criteria ask, or where the learner writes it."""
    if isinstance(name, ConfigKey):
        yield from (name.config_map, name.key)
    else:
        yield name.rstrip(".")


def labels(pods: Mapping[str, str]) -> Iterator[str]:
    return (f"{key}: {value}" for key, value in pods.items())


def seen(given: str) -> Iterator[str]:
    """What a learner sees of the given Pods: their labels, and the ports that they declare."""
    for item in yaml.safe_load_all(given):
        if item and item["kind"] in ("Deployment", "StatefulSet"):
            yield from labels(item["spec"]["template"]["metadata"]["labels"])
            for container in item["spec"]["template"]["spec"]["containers"]:
                yield from (str(port["containerPort"]) for port in container["ports"])


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_task_names_every_object_and_value_of_the_criteria(exercise: Exercise) -> None:
    wanted = {value for criterion in exercise.criteria for value in values(criterion)} | {exercise.namespace}
    told = named(exercise.task)
    if exercise.broken:  # where to look is part of the task
        told |= set(seen(exercise.given))
    assert wanted <= told, wanted - told


def answer_in(exercise: Exercise) -> set[str]:
    """What stands in the reference as a selector's or a target port's value, and not in the starter."""

    def found(text: str) -> set[str]:
        specs = [item["spec"] for item in yaml.safe_load_all(text) if item["kind"] == "Service"]
        ports = {str(port.get("targetPort")) for spec in specs for port in spec["ports"]}
        return ports.union(*(labels(spec["selector"]) for spec in specs))

    return found(exercise.answers[0].text) - found(exercise.starter)


@pytest.mark.parametrize("name", ["debug-selector-typo", "debug-target-port", "debug-named-port"])
@pytest.mark.parametrize("learner", ["", "student-1", "student-7"])
def test_a_debugging_task_tells_symptoms_and_not_the_repair(name: str, learner: str) -> None:
    exercise = load(name, learner)
    assert answer_in(exercise)
    assert not answer_in(exercise) & named(exercise.task)


def test_a_task_that_forgets_a_value_is_noticed() -> None:
    exercise = next(exercise for exercise in EXERCISES if exercise.id == "clusterip")
    wanted = {value for criterion in exercise.criteria for value in values(criterion)}
    assert not wanted <= named(exercise.task.replace("backend-service", "my-service"))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_task_says_tcp_where_a_criterion_asks_for_it(exercise: Exercise) -> None:
    asked = any(
        "TCP" in leaves(criterion.expect.matches)
        for criterion in exercise.criteria
        if isinstance(criterion.expect, Object)
    )
    assert not asked or "TCP" in exercise.task


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_exercise_has_enough_answers_wrong_answers_and_hints(exercise: Exercise) -> None:
    assert len(exercise.answers) >= MINIMUM_ANSWERS
    assert len(exercise.wrong) >= MINIMUM_WRONG
    assert len(exercise.hints) >= MINIMUM_HINTS
    assert len({answer.text for answer in exercise.answers}) == len(exercise.answers)
    assert len({answer.text for answer in exercise.wrong}) == len(exercise.wrong)


def telling(text: str) -> set[str]:
    """The lines of an answer or of code in prose that decide something."""
    anywhere = re.sub(r" -n [a-z-]+", "", text)  # an answer's script runs in the Namespace, a hint's command names it
    lines = {line.split(" #")[0].strip().removeprefix("- ") for line in anywhere.splitlines()}
    return {line for line in lines if len(line) > 4 and not line.startswith(("#", "```")) and not line.endswith(":")}


def given_away(exercise: Exercise, hint: str) -> float:
    """How much of what the learner has to find out stands in a hint, from 0 to 1."""
    found_out = telling(exercise.answers[0].text) - telling(exercise.starter)
    return len(found_out & telling(hint)) / len(found_out)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_only_the_last_hint_comes_near_the_answer(exercise: Exercise) -> None:
    *earlier, last = [given_away(exercise, hint) for hint in exercise.hints]
    assert last > 0
    assert max(earlier) < 0.5
    assert max(earlier) <= last


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_wrong_answers_cover_many_causes(exercise: Exercise) -> None:
    assert len({answer.diagnosis for answer in exercise.wrong}) >= MINIMUM_WRONG // 2


def test_no_two_exercises_name_the_same_node_port() -> None:
    owner: dict[str, str] = {}
    for exercise in EXERCISES:
        texts = [exercise.given, *(answer.text for answer in (*exercise.answers, *exercise.wrong))]
        for number in {found for text in texts for found in re.findall(r"\b3[0-2][0-9]{3}\b", text)}:
            assert owner.setdefault(number, exercise.id) == exercise.id, number
