"""`grader lab` and `grader lessons`: the lessons as notebooks in JupyterLab, and as pages of the site."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.session import Session
from grader.cli.teach import Taught, TaughtGroup


@click.command(cls=Taught, name="lab", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="[JUPYTERLAB-OPTION]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def lab(session: Session, arguments: tuple[str, ...]) -> None:
    """Bring the cluster up and become JupyterLab at lesson 1."""
    import os

    from grader.cli.steps import steps
    from grader.workflow.lab import prepare

    with steps(session.err()) as shown:
        command, environment = prepare(arguments, shown)
    os.execve(command[0], command, environment)  # only now: a step that is still shown has hidden the cursor


AUTHORS = {name: f"grader.lessons.cli:{name}" for name in ("run", "record")}


@click.group(cls=TaughtGroup, name="lessons", lazy=AUTHORS)
def lessons() -> None:
    """Hold the commands about lessons."""


@lessons.command(cls=Taught, name="build")
@click.option("--site", "pages", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="FOLDER")
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
@click.option("--notebooks", is_flag=True)
@click.option("--solved", is_flag=True)
@click.pass_obj
def build(session: Session, pages: Path | None, output: Path | None, notebooks: bool, solved: bool) -> None:
    """Write the notebooks, or the Markdown that the site is built from."""
    from grader.lessons.build import build_notebooks, build_site
    from grader.paths import content_root
    from grader.text import labels

    if notebooks or solved:
        target = output or Path("build") / "notebooks"
        count = len(build_notebooks(target, solved=solved))
    else:
        target = output or Path("build") / "site-docs"
        build_site(target, pages or content_root() / "site" / "pages")
        count = sum(1 for path in target.rglob("*") if path.is_file())
    session.out().print(labels()["lessons.built"].format(count=count, folder=target))
