"""The record that the site shows counts what was proved, and no more."""

from __future__ import annotations

import json

from grader.exercises import all_exercises
from grader.workflow.proof.mutations import mutation_tasks
from grader.workflow.proof.soundness import count, record_path
from grader.workflow.proof.verify import Attempt, VerifyResult
from tests.render.samples import FAILED


def attempt(kind: str, name: str, *, sound: bool = True, got: str = "fail") -> Attempt:
    return Attempt("clusterip", kind, name, "fail", got, sound, 0.1, FAILED)


def test_an_attempt_on_several_clusters_counts_once_and_must_be_sound_on_all() -> None:
    one = VerifyResult("embedded v1", (attempt("wrong", "a"), attempt("wrong", "b")), 1.0)
    other = VerifyResult("kind v1", (attempt("wrong", "a"), attempt("wrong", "b", sound=False)), 1.0)
    mutants = VerifyResult("embedded v1", (attempt("mutation", "m", got="pass"), attempt("mutation", "n")), 1.0)
    counted = count([one, other, mutants])
    assert counted["clusters"] == ["embedded v1", "kind v1"]
    assert counted["exercises"]["clusterip"] == {
        "mutation": 2,
        "mutation-passed": 1,
        "mutation-sound": 2,
        "wrong": 2,
        "wrong-sound": 1,
    }


def test_the_record_is_of_the_exercises_as_they_are_and_everything_came_out_as_expected() -> None:
    record = json.loads(record_path().read_text(encoding="utf-8"))["exercises"]
    for exercise in all_exercises():
        proved = record[exercise.id]
        assert proved["answer"] == proved["answer-sound"] == len(exercise.answers), exercise.id
        assert proved["wrong"] == proved["wrong-sound"] == len(exercise.wrong), exercise.id
        assert proved["unsolved-sound"] == 2, exercise.id
        assert proved.get("mutation", 0) == proved.get("mutation-sound", 0) == len(mutation_tasks(exercise)), (
            exercise.id
        )
