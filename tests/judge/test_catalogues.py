"""Every code that judging can tell has words, every word is told, and the same evidence gives the same report."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import grader
from grader.causes.ruling import MEANWHILE
from grader.judge import judge
from grader.model.vantage import At
from grader.observe.environment import LEASES
from grader.text import catalogue
from tests.judge.world import World

ROOT = Path(grader.__file__).parent
FOLDERS = ("judge", "criteria", "causes", "observe")
CATALOGUES = ("diagnoses", "environment", "proofs")
TELLERS = {
    "fail": ("diagnoses",),
    "not_yet": ("diagnoses",),
    "finding": ("diagnoses",),
    "passed": ("proofs",),
    "Problem": ("environment",),
    "CarrierError": ("environment",),
}
# What stands where a code cannot be written out.
EXPANDED = {
    "reach-{self.at.value}": {f"reach-{at.value}" for at in At},
    "reach-{self.at.value}-some": {f"reach-{at.value}-some" for at in At},
    "local-{self.otherwise}": {"local-nobody", "local-anybody"},
}
# Codes that are handed on: whoever made them was asked.
HANDED_ON = {"code", "error.code", "found.code", "problem.code", "MEANWHILE[ruling.waits]"}


@dataclass(frozen=True)
class Told:
    """A code that is told at a place, and the catalogue that must know it."""

    code: str
    place: str
    catalogue: str


def told() -> Iterator[Told]:
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            values = assigned(function)
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                if name not in TELLERS or not call.args or function.name == name:
                    continue
                place = f"{path.relative_to(ROOT)}:{call.lineno}"
                for code in sorted(codes(call.args[0], values, place)):
                    yield from (Told(code, place, known) for known in TELLERS[name])


def assigned(function: ast.FunctionDef) -> Mapping[str, list[ast.expr]]:
    """Every value that is given to a name in a function."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def codes(value: ast.expr, names: Mapping[str, list[ast.expr]], place: str) -> set[str]:
    """The codes that an expression can be. Fails where that cannot be read."""
    text = ast.unparse(value)
    match value:
        case ast.Constant(value=str() as code):
            return {code}
        case ast.JoinedStr():
            return EXPANDED[text.removeprefix("f'").removesuffix("'")]
        case ast.IfExp(body=body, orelse=otherwise):
            return codes(body, names, place) | codes(otherwise, names, place)
        case ast.Dict(values=values):
            return {code for item in values for code in codes(item, names, place)}
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *default]):
            return {code for item in (table, *default) for code in codes(item, names, place)}
        case ast.Name(id=name) if name in names:
            return {code for item in names[name] for code in codes(item, names, place)}
    assert text in HANDED_ON, f"{place}: write the code {text} so that this test can read it, or expand it here"
    return set()


TOLD = (
    *dict.fromkeys(told()),
    *(Told(code, f"Lease {lease}", "environment") for lease, code in LEASES.items()),
    *(Told(code, f"Waits.{waits.name}", "diagnoses") for waits, code in MEANWHILE.items()),
)


@pytest.mark.parametrize("item", TOLD, ids=lambda item: f"{item.code}@{item.place}")
def test_every_code_that_is_told_has_words(item: Told) -> None:
    assert item.code in catalogue(item.catalogue)


def test_every_code_in_a_catalogue_is_told_somewhere() -> None:
    for name in CATALOGUES:
        said = {item.code for item in TOLD if item.catalogue == name}
        assert set(catalogue(name)) - said == set(), name


def test_every_message_has_its_three_parts() -> None:
    for name in CATALOGUES:
        for code, entry in catalogue(name).items():
            assert set(entry) == {"what", "where", "next"}, code


def test_the_same_evidence_gives_the_same_report() -> None:
    world = World().set(selector={"tier": "api"})
    evidence = world.evidence()
    assert judge(world.task, evidence) == judge(world.task, copy.deepcopy(evidence))
