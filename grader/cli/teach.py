"""Click commands whose words come from `text/ja/cli.yaml`: the command says what it takes, the catalogue what it means.

An entry is named by the words after `grader` ("check", "cluster up"; "grader" for the command itself) and holds `short`
(one line), `help`, `example` (lines), and a sentence for each parameter, by its longest option or its metavar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from rich.cells import cell_len

from grader.cli.session import Session
from grader.errors import UsageError
from grader.render.wrap import plain, wrap
from grader.text import catalogue, labels
from grader.text.commands import in_terminal

ROOT = "grader"
_WIDTH = 88
_INDENT = "  "


def entry_name(context: click.Context) -> str:
    """Name the catalogue entry of a command: its path without the program's name."""
    return " ".join(context.command_path.split()[1:]) or ROOT


def _paragraphs(text: str, width: int, indent: str = _INDENT) -> Iterator[str]:
    for line in wrap(text, width - len(indent)):
        joined = "".join(run.text for run in line)
        yield (indent + joined).rstrip()


def _definitions(items: list[tuple[str, str]], width: int) -> Iterator[str]:
    column = min(max(cell_len(name) for name, _ in items), 28) + 2
    for name, sentence in items:
        lines = list(_paragraphs(sentence, width, " " * (column + len(_INDENT)))) or [""]
        if cell_len(name) + 2 > column:
            yield _INDENT + name
        else:
            lines[0] = _INDENT + name + " " * (column - cell_len(name)) + lines[0].lstrip()
        yield from lines


def _no_color(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).color = False


class Taught(click.Command):
    """A command that is explained in Japanese, from the catalogue."""

    def words(self, context: click.Context) -> Mapping[str, str]:
        """Give the catalogue's entry of this command. Raises KeyError where there is none."""
        return catalogue("cli")[entry_name(context)]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the command's parameters and those that every command has."""
        every = click.Option(["--no-color"], is_flag=True, expose_value=False, is_eager=True, callback=_no_color)
        return [*self.params, every, *([option] if (option := self.get_help_option(ctx)) else [])]

    def get_short_help_str(self, limit: int = 45) -> str:
        """Give nothing: the group that lists commands reads the catalogue itself."""
        return ""

    def parameters(self, context: click.Context) -> Iterator[tuple[str, str]]:
        """Give each parameter as it is typed, and what it means."""
        words = {**catalogue("cli")["every"], **self.words(context)}
        for parameter in self.get_params(context):
            if getattr(parameter, "hidden", False):
                continue
            if isinstance(parameter, click.Option):
                name = max(parameter.opts, key=len)
                shown = ", ".join(parameter.opts + parameter.secondary_opts)
                if not parameter.is_flag and not parameter.count:
                    shown += f" {parameter.make_metavar(context)}"
            else:
                shown = name = parameter.make_metavar(context).strip("[].")
            yield shown, words[name]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the page that `--help` shows."""
        words = self.words(ctx)
        table = labels()
        width = min(formatter.width, _WIDTH)
        usage = " ".join((ctx.command_path, *self.collect_usage_pieces(ctx)))
        lines = [f"{table['help.usage']}  {usage}", "", *_paragraphs(words["help"], width), ""]
        lines += self.commands_page(ctx, width)
        lines += [table["help.parameters"], *_definitions(list(self.parameters(ctx)), width)]
        if "example" in words:
            lines += ["", table["help.examples"], *(_INDENT + line for line in words["example"].splitlines())]
        program = ctx.ensure_object(Session).program
        formatter.write("\n".join((lines[0], *(in_terminal(line, program) for line in lines[1:]))) + "\n")

    def commands_page(self, context: click.Context, width: int) -> list[str]:
        """Give the lines that list subcommands; a plain command has none."""
        return []


class TaughtGroup(Taught, click.Group):
    """A group whose commands are imported when called: name → "module:attribute"."""

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which a learner meets them."""
        return [*self.lazy, *(name for name in self.commands if name not in self.lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and give a command, None for an unknown one."""
        if cmd_name in self.lazy and cmd_name not in self.commands:
            module, attribute = self.lazy[cmd_name].split(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name. Raises UsageError, with the nearest name, for an unknown one."""
        known = self.list_commands(ctx)
        if not ctx.resilient_parsing and args and not args[0].startswith("-") and args[0] not in known:
            facts = {"command": args[0], "parent": ctx.command_path, "known": ", ".join(known)}
            if near := get_close_matches(args[0], known, n=1, cutoff=0.5):
                raise UsageError("command-unknown-near", **facts, near=near[0])
            raise UsageError("command-unknown", **facts)
        return super().resolve_command(ctx, args)

    def commands_page(self, context: click.Context, width: int) -> list[str]:
        """List the subcommands with their one-line meaning, without importing them."""
        prefix = "" if entry_name(context) == ROOT else f"{entry_name(context)} "
        items = [(name, plain(catalogue("cli")[prefix + name]["short"])) for name in self.list_commands(context)]
        return [labels()["help.commands"], *_definitions(items, width), ""]
