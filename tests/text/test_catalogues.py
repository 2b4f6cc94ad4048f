"""Every code that the program can say has words, and the words ask only for facts that the program gives."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import grader
from grader.text import catalogue, labels, placeholders

ROOT = Path(grader.__file__).parent
PARTS = ("what", "where", "next")
ERRORS = {
    "CourseError", "UsageError", "ContentError", "ManifestError", "EnvironmentError_", "ClusterMissing",
    "ClusterUnreachable", "ToolMissing", "ProbeUnreachable",
}  # fmt: skip
TELLERS = {"progress", "tell", "report", "told"}


@dataclass(frozen=True)
class Said:
    """A code named in the program, at a place, with the facts handed over (None where they are not literal)."""

    code: str
    place: str
    facts: frozenset[str] | None


def calls() -> Iterator[tuple[ast.Call, str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield node, name, f"{path.relative_to(ROOT)}:{node.lineno}"


def literal(node: ast.Call) -> str | None:
    first = node.args[0] if node.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def errors() -> Iterator[Said]:
    for node, name, place in calls():
        if name in ERRORS and (code := literal(node)) is not None:
            names = [keyword.arg for keyword in node.keywords]
            facts = None if None in names else frozenset(str(item) for item in names)
            yield Said(code, place, facts)


def steps() -> Iterator[Said]:
    for node, name, place in calls():
        if name in TELLERS and len(node.args) == 2 and (code := literal(node)) is not None:
            facts = node.args[1]
            keys = facts.keys if isinstance(facts, ast.Dict) else [None]
            known = all(isinstance(key, ast.Constant) for key in keys)
            yield Said(code, place, frozenset(str(key.value) for key in keys) if known else None)  # type: ignore[union-attr]


def test_the_search_finds_what_it_is_for() -> None:
    assert len(list(errors())) > 30
    assert len(list(steps())) > 10


@pytest.mark.parametrize("said", list(errors()), ids=lambda said: f"{said.code}@{said.place}")
def test_every_error_that_is_raised_has_words(said: Said) -> None:
    entry = catalogue("errors")[said.code]
    if said.facts is not None:
        asked = frozenset().union(*(placeholders(entry[part]) for part in PARTS))
        assert asked <= said.facts, f"{said.code} needs {set(asked - said.facts)}"


@pytest.mark.parametrize("said", list(steps()), ids=lambda said: f"{said.code}@{said.place}")
def test_every_step_that_is_told_has_words(said: Said) -> None:
    sentence = catalogue("progress")[said.code]["doing"]
    if said.facts is not None:
        assert placeholders(sentence) <= said.facts


@pytest.mark.parametrize("name", ["classroom", "errors", "diagnoses", "proofs", "environment", "refusals"])
def test_every_message_says_what_where_and_next(name: str) -> None:
    for code, entry in catalogue(name).items():
        for part in PARTS:
            assert entry[part].strip(), f"{name}: {code} has no {part}"


@pytest.mark.parametrize("name", ["classroom", "errors", "diagnoses", "environment", "refusals"])
def test_every_backquote_has_its_partner(name: str) -> None:
    for code, entry in catalogue(name).items():
        for part in PARTS:
            assert entry[part].count("`") % 2 == 0, f"{name}: {code} {part}"


def test_every_label_that_code_reads_exists() -> None:
    words = labels()
    missing = []
    for path in sorted((ROOT / part) for part in ("cli", "notebook", "render")):
        for source in path.rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                    key = node.slice.value
                    if isinstance(key, str) and "." in key and key not in words:
                        missing.append(f"{source.name}: {key}")
    assert missing == []
