"""`grader cluster`, `doctor`, `env`: the cluster that exercises run on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session
from grader.cli.teach import Taught, TaughtGroup
from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.cluster.info import ClusterInfo


@click.group(cls=TaughtGroup, name="cluster")
def cluster() -> None:
    """Hold the commands about the cluster."""


def _options(settings: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise UsageError("setting-malformed", setting=setting)
        options[name] = value
    return options


def _known(name: str) -> ClusterInfo | None:
    from grader.cluster.info import load
    from grader.errors import ClusterMissing

    try:
        return load(name)
    except ClusterMissing:
        return None


@cluster.command(cls=Taught, name="up")
@click.option("--embedded", "kind", flag_value="embedded")
@click.option("--kind", "kind", flag_value="kind")
@click.option("--context", metavar="NAME")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE")
@click.pass_obj
def up(session: Session, kind: str | None, context: str | None, settings: tuple[str, ...]) -> None:
    """Bring a cluster up and make it the one that commands use."""
    from grader.cli.steps import steps
    from grader.cluster.choose import provider
    from grader.cluster.info import DEFAULT_NAME, Provider
    from grader.paths import state_root, write_atomically
    from grader.text import labels

    if kind and context:
        raise UsageError("cluster-two-kinds")
    options = _options(settings)
    name = session.target
    if context:
        options["context"] = context
        chosen = Provider.CONTEXT
        if not session.is_named:
            name = re.sub(r"[^a-z0-9]+", "-", context.lower()).strip("-") or DEFAULT_NAME
    else:
        before = _known(name)
        chosen = Provider(kind) if kind else before.provider if before else Provider.EMBEDDED
        if kind and before and before.provider is not chosen and not session.is_named:
            name = DEFAULT_NAME
    before = _known(name)
    if before and before.provider is not chosen:
        raise UsageError("cluster-other-kind", name=name, is_=before.provider.value, wanted=chosen.value)
    with steps(session.err()) as shown:
        info = provider(chosen).up(name, options, shown)
    marker = state_root() / "current-cluster"
    if not (session.is_named and marker.is_file()):  # one named for a command does not become everybody's
        write_atomically(marker, info.name + "\n")
    facts = {"name": info.name, "provider": labels()[f"provider.{info.provider.value}"], "version": info.version}
    session.cluster_name = info.name if session.is_named else ""
    session.out().print(labels()["cluster.ready"].format(**facts))


@cluster.command(cls=Taught, name="down")
@click.pass_obj
def down(session: Session) -> None:
    """Take the cluster away."""
    from grader.cli.steps import steps
    from grader.cluster.choose import provider, provider_of
    from grader.cluster.info import Provider
    from grader.paths import state_root
    from grader.text import labels

    name = session.target
    known = _known(name)
    with steps(session.err()) as shown:
        if known:
            provider_of(known).down(name, shown)
        else:  # an interrupted `up` leaves no record, but may leave a process or containers
            for kind in (Provider.EMBEDDED, Provider.KIND):
                if provider(kind).status(name).detail != "not-created":
                    provider(kind).down(name, shown)
    marker = state_root() / "current-cluster"
    if marker.is_file() and marker.read_text(encoding="utf-8").strip() == name:
        marker.unlink()
    session.out().print(labels()["cluster.gone"].format(name=name))


def _sentence(detail: str, facts: Mapping[str, str]) -> str:
    from grader.text import labels

    return labels()[f"status.{detail}"].format_map(facts)


@cluster.command(cls=Taught, name="status")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def status(session: Session, as_json: bool) -> int:
    """Show the cluster, changing nothing; exit status 0 where it is ready, else 4."""
    from dataclasses import asdict

    from grader.cluster.choose import provider_of
    from grader.render.machine import to_json
    from grader.text import labels

    session.json = as_json
    info = session.cluster()
    state = provider_of(info).status(info.name)
    if as_json:
        about = {"name": info.name, "provider": info.provider.value, "version": info.version}
        about["kubeconfig"] = str(info.kubeconfig)
        nodes = [asdict(node) for node in state.nodes]
        told = {"ready": state.ready, "detail": state.detail, "dns": state.facts.get("dns", ""), "nodes": nodes}
        click.echo(to_json({"schema": 1, **about, **told}), nl=False)
        return 0 if state.ready else 4
    table = labels()
    out = session.out()
    symbol, style = ("pass", "green") if state.ready else ("fail", "red")
    facts = {"name": info.name, "provider": table[f"provider.{info.provider.value}"], "version": info.version}
    out.print(f"{table[f'symbol.{symbol}']} {_sentence(state.detail, {**facts, **state.facts})}", style=style)
    out.print("  " + table["cluster.record"].format(**facts, kubeconfig=info.kubeconfig))
    if "dns" in state.facts:
        host, _, port = state.facts["dns"].rpartition(":")
        out.print("  " + table["cluster.dns"].format(host=host, port=port))
    for node in state.nodes:
        mark = table["symbol.pass" if node.ready else "symbol.fail"]
        out.print(f"  {mark} {node.name}  {node.address}  {node.version}")
    return 0 if state.ready else 4


@click.command(cls=Taught, name="doctor")
@click.pass_obj
def doctor(session: Session) -> int:
    """Tell what is missing on this machine, and the command that fixes it."""
    from grader.cluster.doctor import examine
    from grader.render.terminal import paragraph
    from grader.render.wrap import plain
    from grader.text import labels, message

    out = session.out()
    table = labels()
    needed_missing = False
    for finding in examine(session.target):
        tone = "pass" if finding.ok else "fail" if finding.needed else "environment-error"
        style = {"pass": "green", "fail": "red", "environment-error": "yellow"}[tone]
        seen = plain(table[f"doctor.{finding.name}"].format_map(finding.facts))
        out.print(f"{table[f'symbol.{tone}']} {seen}", style=style)
        if finding.code:
            words = message("errors", finding.code, finding.facts)
            for part, sentence in (("what", words.what), ("where", words.where), ("next", words.next)):
                for line in paragraph(table[f"part.{part}"], sentence, min(out.width, 88), label_width=6):
                    out.print(line)
        needed_missing = needed_missing or finding.needed
    return 4 if needed_missing else 0


@click.command(cls=Taught, name="completion")
@click.argument("shell_name", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell_name: str) -> None:
    """Print what a shell evaluates to complete `grader` and `kubectl`."""
    from grader.workflow.session.shell import completion_script

    click.echo(completion_script(shell_name), nl=False)


@click.command(cls=Taught, name="env")
@click.pass_obj
def env(session: Session) -> None:
    """Print what a shell needs so that kubectl talks to this cluster."""
    from grader.workflow.session.shell import exports, variables

    click.echo(exports(variables(session.cluster())), nl=False)


@click.command(cls=Taught, name="shell")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.pass_obj
def shell(session: Session, exercise_id: str | None) -> None:
    """Become a shell in which plain kubectl means an exercise, and whose prompt says which."""
    import os

    from grader.cli.exercise import begin
    from grader.cli.session import exercise
    from grader.text import labels
    from grader.workflow.session.shell import opening

    chosen = exercise(exercise_id) if exercise_id else None
    cluster = session.cluster()
    opened = opening(cluster)
    os.environ.update(opened.environment)
    if chosen:
        begin(session, chosen)
    session.out().print(labels()["shell.opened"])
    os.execvpe(opened.command[0], opened.command, opened.environment)
