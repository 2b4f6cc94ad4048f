"""`grader verify`: prove exercises sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.session import EXERCISE, Session, exercise
from grader.cli.teach import Taught
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.workflow.proof.verify import VerifyResult


def _read(path: Path) -> VerifyResult:
    from grader.workflow.proof.verify import VerifyResult

    try:
        return VerifyResult.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("result-unreadable", file=path, reason=error) from error


def _compare(session: Session, left: Path, right: Path) -> int:
    """Show how two results differ; exit status 1 where they do, or have nothing in common."""
    from grader.text import labels
    from grader.workflow.proof.differences import common, differences

    one, other = _read(left), _read(right)
    found, compared = differences(one, other), len(common(one, other))
    out = session.out()
    table = labels()
    for line in found:
        out.print(f"  {table['symbol.fail']} {line}", style="red")
    alone = len(one.attempts) + len(other.attempts) - 2 * compared
    facts = {"left": one.cluster, "right": other.cluster, "count": len(found), "total": compared, "alone": alone}
    told = "verify.differ" if found else "verify.equal" if compared else "verify.nothing-common"
    out.print(table[told].format(**facts))
    if alone and compared:
        out.print(table["verify.alone"].format(**facts))
    return 1 if found or not compared else 0


def _publish(session: Session, publish: tuple[Path, ...], published: tuple[Path, ...]) -> int:
    """Keep the record that the site shows, or hold it against results; exit status 1 where they differ."""
    from grader.text import labels
    from grader.workflow.proof import soundness

    out, table = session.out(), labels()
    if publish:
        soundness.write([_read(path) for path in publish])
        out.print(table["verify.published"].format(file=soundness.record_path()))
    found = soundness.stale([_read(path) for path in published]) if published else ()
    for line in found:
        out.print(f"  {table['symbol.fail']} {line}", style="red")
    if published:
        out.print(table["verify.stale" if found else "verify.current"])
    return 1 if found else 0


def _enough(session: Session, exercises: tuple[Exercise, ...]) -> bool:
    """Tell of what exercises have too few; whether each has enough of everything."""
    from grader.exercises.new import LEAST, lacking
    from grader.text import labels

    table, enough = labels(), True
    for item in exercises:
        for name, count in lacking(item).items():
            enough = False
            facts = {"exercise": item.id, "what": table[f"verify.few.{name}"], "count": count, "least": LEAST[name]}
            session.out().print(f"  {table['symbol.fail']} {table['verify.few'].format(**facts)}", style="red")
    return enough


@click.command(cls=Taught, name="verify")
@click.argument("exercise_ids", type=EXERCISE, metavar="[EXERCISE]...", nargs=-1)
@click.option("--embedded", "kind", flag_value="embedded")
@click.option("--kind", "kind", flag_value="kind")
@click.option("--in-process", is_flag=True)
@click.option("--only", multiple=True, metavar="NAME")
@click.option("--learner", default="", metavar="ID")
@click.option("--deadline", type=click.FloatRange(min=0), default=60.0, metavar="SECONDS")
@click.option("--parallel", type=click.IntRange(min=1), metavar="COUNT")
@click.option("--mutations", is_flag=True)
@click.option("--handed-in", is_flag=True)
@click.option("--handed-in-wrong", is_flag=True)
@click.option("--attacks", is_flag=True)
@click.option("--renewed", is_flag=True)
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--compare", nargs=2, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE FILE")
@click.option("--publish", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--published", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.pass_obj
def verify(
    session: Session,
    exercise_ids: tuple[str, ...],
    kind: str | None,
    in_process: bool,
    only: tuple[str, ...],
    learner: str,
    deadline: float,
    parallel: int | None,
    mutations: bool,
    handed_in: bool,
    handed_in_wrong: bool,
    attacks: bool,
    renewed: bool,
    save: Path | None,
    compare: tuple[Path, Path] | None,
    publish: tuple[Path, ...],
    published: tuple[Path, ...],
) -> int:
    """Try every answer and every wrong answer, or look at results."""
    if compare:
        return _compare(session, *compare)
    if publish or published:
        return _publish(session, publish, published)
    from grader.cli.proved import print_attempts, print_exempt, print_tally, run, run_in_process
    from grader.cli.steps import steps
    from grader.cluster.choose import provider
    from grader.cluster.info import Provider
    from grader.exercises import all_exercises
    from grader.paths import write_atomically

    chosen = tuple(exercise(name, learner) for name in exercise_ids) or all_exercises(learner)
    what = {
        "mutations": mutations,
        "handed-in": handed_in,
        "handed-in-wrong": handed_in_wrong,
        "attacks": attacks,
        "renewed": renewed,
    }
    asked = [name for name, wanted in what.items() if wanted]
    if len(asked) > 1:
        raise UsageError("one-kind-of-attempts", options=" ".join(f"--{name}" for name in asked))
    ways: dict[str, Any] = {"only": only, "deadline": deadline, "parallel": parallel}
    if in_process and kind:
        raise UsageError("not-in-process", options=f"--{kind}")
    with steps(session.err(), keep=False) as shown:
        if in_process:
            result = run_in_process("".join(asked), chosen, shown, session.out(), **ways)
        else:
            cluster = provider(Provider(kind)).up(session.target, {}, shown) if kind else session.cluster()
            result = run("".join(asked), chosen, cluster, shown, **ways)
    out = session.out()
    print_attempts(result, out)
    enough = bool(asked or only) or _enough(session, chosen)
    sound = print_tally(result, out) if attacks else result.sound
    if renewed:
        print_exempt(chosen, out)
    if save:
        write_atomically(save, json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n")
    return 0 if sound and enough else 1
