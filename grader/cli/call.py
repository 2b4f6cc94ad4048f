"""`grader call`: one question to a URL, from a place that is named."""

from __future__ import annotations

import click

from grader.cli.session import Session
from grader.cli.teach import Taught


@click.command(cls=Taught, name="call")
@click.argument("url", metavar="URL")
@click.option("--from", "source", metavar="PLACE", default="outside")
@click.option("--namespace", "-n", metavar="NAMESPACE", default="")
@click.option("--times", type=click.IntRange(min=1), default=1, metavar="COUNT")
@click.pass_obj
def call(session: Session, url: str, source: str, namespace: str, times: int) -> None:
    """Print what each call was answered; that nothing answers is an answer, too."""
    from grader.cluster import shell
    from grader.text import labels
    from grader.workflow.session.call import call as run

    cluster = session.cluster()
    own = shell.own(cluster)
    place = namespace or (shell.namespace_of(own) if own else "") or shell.DEFAULT_NAMESPACE
    for answer in run(cluster, url, source=source, namespace=place, times=times):
        click.echo(labels()["call.silent"] if answer is None else answer.rstrip("\n"))
