"""The root of the command line: lazy commands, and one boundary where an error becomes Japanese and an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from grader.cli.session import Session
from grader.cli.teach import TaughtGroup
from grader.errors import CourseError, UsageError

INTERRUPTED = 130

COMMANDS = {
    "lab": "grader.cli.course:lab",
    "cluster": "grader.cli.cluster:cluster",
    "doctor": "grader.cli.cluster:doctor",
    "env": "grader.cli.cluster:env",
    "shell": "grader.cli.cluster:shell",
    "completion": "grader.cli.cluster:completion",
    "list": "grader.cli.overview:list_",
    "start": "grader.cli.exercise:start",
    "check": "grader.cli.check:check",
    "watch": "grader.cli.watch:watch",
    "hint": "grader.cli.exercise:hint",
    "solution": "grader.cli.exercise:solution",
    "reset": "grader.cli.exercise:reset",
    "history": "grader.cli.exercise:history",
    "progress": "grader.cli.overview:progress",
    "certificate": "grader.cli.overview:certificate",
    "call": "grader.cli.call:call",
    "submit": "grader.cli.exercise:submit",
    "exercise": "grader.cli.author:exercise",
    "verify": "grader.cli.verify:verify",
    "autograde": "grader.cli.classroom:autograde",
    "regrade": "grader.cli.classroom:regrade",
    "classroom": "grader.cli.classroom:classroom",
    "bundle": "grader.cli.course:bundle",
    "lessons": "grader.cli.course:lessons",
}


def from_click(error: click.ClickException) -> CourseError:
    """Say what click says in the words of the catalogue."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "grader"
    if isinstance(error, click.NoSuchOption):
        if error.possibilities:
            return UsageError(
                "option-unknown-near", option=error.option_name, command=command, near=sorted(error.possibilities)[0]
            )
        return UsageError("option-unknown", option=error.option_name, command=command)
    if isinstance(error, click.MissingParameter):
        name = error.param.make_metavar(context) if error.param and context else error.param_hint
        return UsageError("argument-missing", argument=name, command=command)
    if isinstance(error, click.BadParameter):
        name = error.param.opts[-1] if error.param else error.param_hint
        return UsageError("argument-bad", argument=name, command=command, reason=error.message)
    return UsageError("arguments-bad", command=command, reason=error.format_message())


def tell(error: CourseError, session: Session) -> None:
    """Show an error to a person on standard error, or as JSON on standard output where JSON was asked for."""
    from grader.render.machine import error_object, to_json
    from grader.render.terminal import print_error

    if session.json:
        click.echo(to_json(error_object(error)), nl=False)
    else:
        print_error(error, session.err())


class Root(TaughtGroup):
    """The group that turns every ending of a command into an exit status, and none into a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "grader",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and leave the process: 0–4 as commands define, 130 after Ctrl-C."""
        session = Session()
        status = 0
        for stream in (sys.stdout, sys.stderr):  # a terminal in EUC-JP or cp932 has no ✓
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            extra = {"windows_expand_args": windows_expand_args, **extra, "obj": session}
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            status = result if isinstance(result, int) else 0
        except click.exceptions.Exit as leaving:
            status = leaving.exit_code
        except click.Abort:
            from grader.text import labels

            click.echo(labels()["cli.interrupted"], err=True)
            status = INTERRUPTED
        except click.ClickException as error:
            status = _told(from_click(error), session)
        except Exception as error:  # the outermost boundary: a learner is never shown a traceback
            from grader.workflow.session.crash import unexpected

            status = _told(unexpected(error), session)
        sys.exit(status)


def _told(error: CourseError, session: Session) -> int:
    tell(error, session)
    return error.exit_status


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"grader {version('kubernetes-services-course')}")
        context.exit()


def _no_arguments(context: click.Context) -> None:
    click.echo(context.get_help())


@click.group(cls=Root, name="grader", lazy=COMMANDS, invoke_without_command=True)
@click.option("--cluster", "cluster_name", metavar="NAME")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
@click.pass_context
def root(context: click.Context, cluster_name: str | None) -> None:
    """Set what every command reads: the cluster's name."""
    if cluster_name:
        context.ensure_object(Session).cluster_name = cluster_name
    if context.invoked_subcommand is None:
        _no_arguments(context)
