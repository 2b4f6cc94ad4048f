"""Printed commands work when they are pasted: each says its Namespace, and is put as its reader must type it."""

import re
from pathlib import Path

import click
import pytest

from grader import exercises
from grader.cli.root import root
from grader.lessons.page import exercise_page
from grader.lessons.words import word
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


def objection(command: str) -> str:
    """Say why the command line would refuse a printed call of `grader`, "" where it would not."""
    words = re.sub(r"^(?:\.venv/bin/)?grader ", "", command.split(" #")[0]).split()
    context = click.Context(root, info_name="grader")
    at: click.Command = root
    while words:
        options = {name for item in at.get_params(context) for name in (*item.opts, *item.secondary_opts)}
        word = words.pop(0).rstrip('。、)"')
        if word.startswith("-"):
            if at.context_settings.get("ignore_unknown_options"):
                return ""
            if word.split("=")[0] not in options:
                return f"no option {word}"
            named = next(item for item in at.get_params(context) if word.split("=")[0] in item.opts)
            if at is root and isinstance(named, click.Option) and not named.is_flag and words:
                words.pop(0)
        elif isinstance(at, click.Group):
            below = at.get_command(context, word)
            if below is None:
                return f"no command {word}"
            context, at = click.Context(below, parent=context, info_name=word), below
    return ""


def calls() -> list[printed.Printed]:
    found = [*printed.of_catalogues(), *(item for path in printed.documents() for item in printed.of_markdown(path))]
    return [item for item in found if re.match(r"(?:\.venv/bin/)?grader (?:--|[a-z])", item.command)]


def test_every_call_of_grader_that_is_printed_exists() -> None:
    assert len(calls()) > 100
    assert [(item, why) for item in calls() if (why := objection(item.command))] == []


@pytest.mark.parametrize("path", [path for path in printed.documents() if path.parent.name not in ("course",)])
def test_a_document_calls_grader_by_its_name_only_after_eval(path: Path) -> None:
    """In a block of shell; in README and the site's pages, whose readers come from outside, also within a sentence."""
    for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        before = block.partition("eval ")[0]
        assert not re.search(r"^grader ", before, re.MULTILINE), block


def test_a_page_of_the_site_begins_with_eval() -> None:
    exercise = exercises.load("clusterip")
    terminal = exercise_page(exercise, None).split(f'=== "{word("tab.terminal")}"')[1]
    first, *later = re.findall(r"(?:eval|grader|kubectl) .*", terminal)
    assert first == 'eval "$(.venv/bin/grader env)"' and later[0] == "grader start clusterip"
