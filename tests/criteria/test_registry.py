"""The registry, the schemas of exercise.yaml and the kinds themselves say the same."""

from __future__ import annotations

import pkgutil
from dataclasses import is_dataclass
from importlib import import_module
from typing import get_args, get_type_hints

import pytest

import grader.criteria
from grader.criteria.env import Env
from grader.criteria.registry import KINDS, kind_of
from grader.exercises import all_exercises
from grader.exercises.schema import CriterionSchema, Expected
from grader.model.exercise import Criterion, Exercise
from grader.model.report import Hop
from tests.judge.world import LABELS, SERVICE


def test_every_module_with_a_kind_is_registered() -> None:
    found = {
        value
        for info in pkgutil.iter_modules(grader.criteria.__path__, "grader.criteria.")
        for value in vars(import_module(info.name)).values()
        if is_dataclass(value) and isinstance(value, type) and hasattr(value, "negatable")
    }
    assert found == set(KINDS.values())


def test_every_kind_has_one_schema_of_its_name_which_builds_it() -> None:
    assert tuple(Expected.model_fields) == tuple(KINDS)
    for name, field in Expected.model_fields.items():
        (schema,) = (item for item in get_args(field.annotation) if item is not type(None))
        assert get_type_hints(schema.expectation)["return"] is KINDS[name], name


def test_a_criterion_holds_one_kind_and_is_negated_only_where_the_kind_can_be() -> None:
    assert {name for name, kind in KINDS.items() if kind.negatable} == {"endpoints", "dns", "reach"}
    env = {"pods": LABELS, "service": SERVICE, "holds": True}
    made = CriterionSchema.model_validate({"id": "a", "points": 1, "env": env}).criterion()
    assert kind_of(made) == Env(LABELS, SERVICE, True)
    with pytest.raises(ValueError, match="can be negated"):
        CriterionSchema.model_validate({"id": "a", "points": 1, "not": {"env": env}})
    with pytest.raises(TypeError, match="cannot be negated"):
        kind_of(Criterion("a", 1.0, made.expect, True, Hop.VARIABLES))


def test_what_is_no_kind_is_an_error_and_no_pass() -> None:
    class Strange:
        service = ""

    with pytest.raises(TypeError, match="no registered kind"):
        kind_of(Criterion("a", 1.0, Strange(), False, Hop.SERVICE))


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.id)
def test_no_two_criteria_of_an_exercise_look_the_same_on_its_card(exercise: Exercise) -> None:
    shown = [(item.hop, kind_of(item).subject, kind_of(item).aspect) for item in exercise.criteria]
    assert len(set(shown)) == len(shown)
    assert all(aspect for _, _, aspect in shown)
