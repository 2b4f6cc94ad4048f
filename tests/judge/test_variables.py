"""Environment variables: an address of before, one written by hand, and none at all are different causes."""

from __future__ import annotations

from typing import Any

from grader.judge.calls import variables
from grader.model.evidence import Outcome, ShellAnswer
from grader.model.exercise import Env
from grader.model.report import Verdict
from grader.model.traffic import env_questions
from tests.judge.telling import told
from tests.judge.world import SERVICE, World, criterion, exercise

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
BATCH = {"app": "batch"}


def world(pod_made: str, has: dict[str, str], **spec: Any) -> World:
    """One Pod that runs with these variables; the Service was made between OLD and NEW."""
    expect = Env(BATCH, SERVICE, True)
    found = World(exercise(criterion("env", expect)))
    found.service["metadata"]["creationTimestamp"] = "2026-01-01T00:00:30Z"
    (pod,) = [item for item in found.pods if item["metadata"]["name"] == "batch-a"]
    pod["metadata"]["creationTimestamp"] = pod_made
    pod["spec"].update(spec)
    output = "\n".join(f"{name}={value}" for name, value in has.items())
    questions = env_questions(expect, found.objects()).values()
    found.changes["shell"] = tuple(ShellAnswer(item, Outcome.ANSWERED, output) for item in questions)
    return found


def right() -> dict[str, str]:
    return variables(World().service)


def test_a_pod_with_todays_variables_passes_and_one_without_lacks_them() -> None:
    assert told(world(NEW, right())).verdict is Verdict.PASS
    assert told(world(OLD, {"PATH": "/bin"})).finding.diagnosis == "env-missing"
    assert told(world(NEW, {}, enableServiceLinks=False)).finding.diagnosis == "env-links-off"


def test_a_service_made_again_leaves_values_of_before_and_nobody_wrote_them_by_hand() -> None:
    before = {name: value.replace("10.96.", "10.97.") for name, value in right().items()}
    report = told(world(OLD, before))
    assert (report.finding.diagnosis, report.finding.facts["seen"][:6]) == ("env-stale", "10.97.")


def test_todays_values_in_an_older_pod_were_written_by_hand() -> None:
    assert told(world(OLD, right())).finding.diagnosis == "env-hard-coded"
