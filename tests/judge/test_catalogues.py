"""Every code has words, every message its three parts, and the same evidence gives the same report."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import grader.judge
from grader.judge import judge
from grader.model.exercise import At
from grader.text import catalogue
from tests.judge.world import World


def codes_in_source() -> set[str]:
    source = "\n".join(
        path.read_text()
        for folder in ("judge", "criteria", "causes", "observe", "classroom")
        for path in (Path(grader.judge.__file__).parents[1] / folder).glob("*.py")
    )
    return set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', source))


def test_every_code_in_a_catalogue_is_told_somewhere() -> None:
    said = codes_in_source()
    reaches = {f"reach-{at.value}{end}" for at in At for end in ("", "-some")}
    for name in ("diagnoses", "environment", "proofs"):
        assert set(catalogue(name)) <= said | reaches | {"local-nobody", "local-anybody"}, name


def test_every_message_has_its_three_parts() -> None:
    for name in ("diagnoses", "environment", "proofs"):
        for code, entry in catalogue(name).items():
            assert set(entry) == {"what", "where", "next"}, code


def test_the_same_evidence_gives_the_same_report() -> None:
    world = World().set(selector={"tier": "api"})
    evidence = world.evidence()
    assert judge(world.task, evidence) == judge(world.task, copy.deepcopy(evidence))
