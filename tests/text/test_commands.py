"""Printed commands work when they are pasted: each says its Namespace, and is put as its reader must type it."""

from pathlib import Path

import pytest

from grader.text.commands import in_cell, in_terminal
from tests.text import printed


def test_the_search_for_commands_finds_what_it_is_for() -> None:
    assert len([item for item in printed.of_catalogues() if "kubectl" in item.command]) > 50
    assert any(item.command.startswith("grader start") for item in printed.of_catalogues())
    assert len(printed.documents()) > 100


def test_every_kubectl_of_the_catalogues_says_its_namespace() -> None:
    assert [item for item in printed.of_catalogues() if printed.lacks_namespace(item)] == []


@pytest.mark.parametrize("path", printed.documents(), ids=lambda path: str(path.relative_to(printed.ROOT)))
def test_every_kubectl_of_the_documents_says_its_namespace(path: Path) -> None:
    assert [item.command for item in printed.of_markdown(path) if printed.lacks_namespace(item)] == []


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("`grader start x` で始めましょう。", "`.venv/bin/grader start x` で始めましょう。"),
        ('eval "$(grader env)"', 'eval "$(.venv/bin/grader env)"'),
        ("grader cluster up で作れます。", ".venv/bin/grader cluster up で作れます。"),
        ("my-grader start", "my-grader start"),
        ("graderは採点します。", "graderは採点します。"),
    ],
)
def test_before_the_path_is_set_a_call_is_typed_with_its_path(written: str, typed: str) -> None:
    assert in_terminal(written, ".venv/bin/grader") == typed
    assert in_terminal(written, "grader") == written


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("`grader start x` で", '`start("x")` で'),
        ("`grader reset x` で", '`reset("x")` で'),
        ("`grader solution x --yes`", '`solution("x", yes=True)`'),
        ("`grader cluster up` で", "`!grader cluster up` で"),
        ("`kubectl get pods -n x` で", "`!kubectl get pods -n x` で"),
        ("`kubectl apply` とは", "`kubectl apply` とは"),
        ("```bash\nkubectl get pods -n x\n```", "```bash\n%%bash\nkubectl get pods -n x\n```"),
        ("`spec.type` を", "`spec.type` を"),
    ],
)
def test_in_a_notebook_a_command_is_written_as_its_cell(written: str, cell: str) -> None:
    assert in_cell(written) == cell
