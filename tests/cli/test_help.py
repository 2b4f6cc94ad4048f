import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from grader.cli.root import root
from grader.cli.teach import Taught, TaughtGroup
from grader.text import catalogue
from tests.cli.conftest import Run


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, Taught, click.Context]]:
    if isinstance(command, Taught):
        yield " ".join(context.command_path.split()[1:]), command, context
    if isinstance(command, TaughtGroup):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from walk(child, click.Context(child, parent=context, info_name=name))


COMMANDS = list(walk(root, click.Context(root, info_name="grader")))


@pytest.mark.parametrize(("name", "command", "context"), COMMANDS, ids=[name or "grader" for name, _, _ in COMMANDS])
def test_every_command_and_parameter_is_taught(name: str, command: Taught, context: click.Context) -> None:
    page = command.get_help(context)
    assert page.startswith("使い方  grader")
    for shown, sentence in command.parameters(context):
        assert shown in page and sentence.strip()


def test_the_catalogue_teaches_nothing_that_does_not_exist() -> None:
    known = {name for name, _, _ in COMMANDS} | {"grader", "every"}
    assert set(catalogue("cli")) <= known


def test_help_without_arguments(run: Run) -> None:
    assert run().output == run("--help").output


def test_help_names_every_command(run: Run) -> None:
    page = run("--help").output
    assert all(f"  {name} " in page for name in ("start", "check", "watch", "hint", "reset", "progress", "list"))


def test_help_loads_neither_client_nor_notebook_nor_schemas() -> None:
    script = (
        "import sys; from grader.cli.root import root\n"
        "try: root(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'kubernetes', 'pydantic', 'IPython', 'jinja2', 'aiohttp', 'nbformat', 'rich.console'}\n"
        "sys.stderr.write(','.join(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
