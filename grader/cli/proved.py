"""What `grader verify` runs, and how it shows what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from grader.render.terminal import print_report
from grader.text import labels

if TYPE_CHECKING:
    from rich.console import Console

    from grader.cluster.info import ClusterInfo
    from grader.cluster.provider import Progress
    from grader.model.exercise import Exercise
    from grader.workflow.proof.verify import Task, VerifyResult


def run(
    what: str,
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    progress: Progress,
    *,
    only: Sequence[str],
    deadline: float,
    parallel: int | None,
) -> VerifyResult:
    """Make the attempts that an option asks for: "mutations", "handed-in", "handed-in-wrong", "attacks", "renewed", "".

    Raises as `grader.workflow.proof.verify.verify`.
    """
    from functools import partial

    from grader.kube.client import KubeApi
    from grader.workflow.proof.attacks.run import unserved
    from grader.workflow.proof.together import joined
    from grader.workflow.proof.verify import verify

    make, at_once = _ways(what)
    if what == "attacks":
        with KubeApi(cluster.kubeconfig) as api:
            make = partial(make, unserved=unserved(api))
    result = verify(exercises, cluster, progress, only=only, deadline=deadline, parallel=parallel, make=make)
    if at_once is None:
        return result
    shaken = at_once(exercises, cluster, progress, only=only, deadline=deadline, parallel=parallel)
    return joined((result, shaken), exercises)


def _ways(what: str) -> tuple[Callable[..., Sequence[Task]], Callable[..., VerifyResult] | None]:
    """Find what lists the attempts that an option asks for, and what else happens, to all exercises at once."""
    from grader.workflow.proof.attacks.cluster import attack_cluster
    from grader.workflow.proof.attacks.run import attack_tasks
    from grader.workflow.proof.handing import handing_in, handing_in_wrong
    from grader.workflow.proof.mutations import mutation_tasks
    from grader.workflow.proof.renewed import drain, renewals
    from grader.workflow.proof.verify import tasks

    return {
        "": (tasks, None),
        "mutations": (mutation_tasks, None),
        "handed-in": (handing_in, None),
        "handed-in-wrong": (handing_in_wrong, None),
        "attacks": (attack_tasks, attack_cluster),
        "renewed": (renewals, drain),
    }[what]


def run_in_process(
    what: str,
    exercises: Sequence[Exercise],
    progress: Progress,
    out: Console,
    *,
    only: Sequence[str],
    deadline: float,
    parallel: int | None,
) -> VerifyResult:
    """Make the attempts that an option asks for on clusters inside of processes, and say what was left out."""
    from grader.workflow.proof.inprocess import shaken_in_process, verify_in_process
    from grader.workflow.proof.together import joined

    make, at_once = _ways(what)
    result, left_out = verify_in_process(
        exercises, progress, make=make, only=only, deadline=deadline, parallel=parallel
    )
    if left_out:
        out.print(labels()["verify.left-out"].format(count=left_out))
    if at_once is None:
        return result
    shaken = shaken_in_process(exercises, progress, shake=at_once, only=only, deadline=deadline, parallel=parallel)
    return joined((result, shaken), exercises)


def print_attempts(result: VerifyResult, out: Console) -> None:
    """Show every attempt; what is not as expected comes last, with its card: a log is read from its end."""
    table = labels()
    for attempt in sorted(result.attempts, key=lambda item: not item.sound):
        line = Text("  ")
        line.append(table["symbol.pass" if attempt.sound else "symbol.fail"], style="green" if attempt.sound else "red")
        line.append(f" {attempt.exercise}/{attempt.name}  ")
        line.append(f"{attempt.expected}", style="dim")
        line.append(f"  {attempt.seconds:.1f}s", style="dim")
        out.print(line)
        if not attempt.sound:
            out.print(Text("    " + table["verify.got"].format(got=attempt.got), style="red"))
            if attempt.output:
                out.print(Text("    " + table["verify.output"], style="red"))
                out.print(Text(indent(attempt.output.rstrip(), " " * 6)))
            print_report(attempt.report, out)
    facts = {
        "sound": sum(attempt.sound for attempt in result.attempts),
        "total": len(result.attempts),
        "seconds": f"{result.seconds:.1f}",
        "cluster": result.cluster,
    }
    out.print(table["verify.sum"].format(**facts), style="green" if result.sound else "bold red")


def print_tally(result: VerifyResult, out: Console) -> bool:
    """Show what attacks came to, operator by operator; tell whether it is as it must be."""
    from grader.workflow.proof.attacks.tally import tally

    words = labels()
    found = tally(result.attempts)
    table = Table(box=None, pad_edge=False)
    table.add_column(words["attacks.operator"])
    for name in ("attempts", "sound", "named"):
        table.add_column(words[f"attacks.{name}"], justify="right")
    for item in found.operators:
        named = f"{item.named}/{item.fallen}" if item.kind == "attack" else ""
        table.add_row(item.operator, str(item.attempts), str(item.sound), named)
    out.print(table)
    for title, some in (("survivors", found.survivors), ("misfires", found.misfires), ("unnamed", found.unnamed)):
        if some:
            out.print(words[f"attacks.{title}"].format(count=len(some)), style="bold red")
        for attempt in some:
            wanted = f" ({', '.join(attempt.names)})" if title == "unnamed" else ""
            out.print(
                Text(f"  {attempt.exercise}/{attempt.name}: {attempt.got} {attempt.report.finding.diagnosis}{wanted}")
            )
    facts = {"caught": f"{found.caught:.1%}", "named": f"{found.named:.1%}"}
    out.print(words["attacks.sum"].format(**facts), style="green" if found.holds else "bold red")
    return found.holds


def print_exempt(exercises: Sequence[Exercise], out: Console) -> None:
    """Show which exercises need not outlive their Pods, and why."""
    for exercise in exercises:
        if exercise.renewed_exempt:
            out.print(labels()["renewed.exempt"].format(exercise=exercise.id, reason=exercise.renewed_exempt))
