"""Attempts are judged inside of processes as on a cluster that listens; what needs kubectl is counted."""

from __future__ import annotations

from grader import exercises
from grader.model.exercise import Form
from grader.workflow.inprocess import verify_in_process
from grader.workflow.verify import tasks

CHOSEN = ("nodeport", "debug-extra-slice")


def test_manifests_come_out_as_expected_and_scripts_are_left_out() -> None:
    chosen = [exercises.load(name) for name in CHOSEN]
    told: list[str] = []
    only = [task.name for exercise in chosen for task in tasks(exercise)[:8]]
    result, left_out = verify_in_process(
        chosen, lambda _, facts: told.append(facts["sound"]), make=tasks, only=only, parallel=2
    )
    every = [task for exercise in chosen for task in tasks(exercise) if task.name in only]
    scripts = [task for task in every if task.text is not None and task.form is Form.SCRIPT]
    assert left_out == len(scripts) > 0
    assert len(result.attempts) == len(every) - len(scripts) == len(told)
    assert [(item.exercise, item.name, item.got) for item in result.attempts if not item.sound] == []
