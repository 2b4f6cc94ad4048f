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
    from grader.workflow.session.lab import prepare

    with steps(session.err()) as shown:
        command, environment = prepare(session.target, arguments, shown)
    os.execve(command[0], command, environment)  # only now: a step that is still shown has hidden the cursor


@click.command(cls=Taught, name="bundle")
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--platform", "platforms", metavar="TAG", multiple=True)
@click.pass_obj
def bundle(session: Session, file: Path | None, platforms: tuple[str, ...]) -> None:
    """Write one file that installs the course where there is no internet."""
    import shlex

    from grader.cli.steps import steps
    from grader.text import labels
    from grader.workflow.session.bundle import NAME, Platform
    from grader.workflow.session.bundle import bundle as write

    target = Platform(platforms=platforms)
    place = file or Path(NAME)
    with steps(session.err(), keep=False) as shown:
        size = write(place, target, shown)
    facts = {"file": shlex.quote(str(place)), "size": f"{size / 1e6:.0f} MB", "python": target.python}
    session.out().print(labels()["bundle.written"].format(**facts, machine=target.machine))


AUTHORS = {name: f"grader.cli.lessons:{name}" for name in ("run", "record")}


@click.group(cls=TaughtGroup, name="lessons", lazy=AUTHORS)
def lessons() -> None:
    """Hold the commands about lessons."""


@lessons.command(cls=Taught, name="start")
@click.argument("number", metavar="LESSON", type=click.IntRange(min=1))
@click.option("--show", is_flag=True)
@click.pass_obj
def start_lesson(session: Session, number: int, show: bool) -> None:
    """Make what a lesson begins with, or show how that is made."""
    from grader.workflow.session import lesson

    script = lesson.setup(number)
    if show:
        click.echo(script, nl=False)
    else:
        lesson.start(number, session.cluster())


@lessons.command(cls=Taught, name="lay")
@click.pass_obj
def lay(session: Session) -> None:
    """Lay the start page and the notebooks of the lessons into the work folder, as `grader lab` does."""
    from grader.paths import near, work_root
    from grader.text import labels
    from grader.workflow.ground import learner
    from grader.workflow.session import notebooks, progress

    laid = notebooks.lay(work_root() / "lessons", learner.current(), progress.load().passed)
    session.out().print(labels()["lessons.laid"].format(file=near(laid.start)))


@lessons.command(cls=Taught, name="reset")
@click.argument("number", metavar="LESSON", type=click.IntRange(min=1))
@click.pass_obj
def reset_lesson(session: Session, number: int) -> None:
    """Lay the notebook of a lesson anew; the learner's own is kept."""
    from grader.paths import near, work_root
    from grader.text import labels
    from grader.workflow.ground import learner
    from grader.workflow.session import notebooks

    path, kept = notebooks.renew(work_root() / "lessons", number, learner.current())
    out = session.out()
    out.print(labels()["lessons.renewed"].format(file=near(path)))
    if kept:
        out.print("  " + labels()["history.kept"].format(file=near(kept)))


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
