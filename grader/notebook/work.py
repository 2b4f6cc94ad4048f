"""`start`, `check`, `hint`, `history`, `reset`, `solution`, `watch`: commands of the terminal as functions with cards.

Each takes an exercise id, shows what came of it and returns nothing: a learner's cell ends in a card, not in an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.errors import UsageError
from grader.lessons.outline import Outline, outlines
from grader.model.exercise import Exercise
from grader.model.report import Report, Verdict
from grader.notebook import kernel, own
from grader.notebook.show import Note, Output, Prose, Shown, put, told
from grader.paths import work_root
from grader.render.card import Card, report_card
from grader.render.wrap import plain
from grader.text import catalogue, labels
from grader.workflow import check as checking
from grader.workflow.ground.hostports import conflict_words, conflicts
from grader.workflow.session import current, hints, notebooks, progress
from grader.workflow.session import history as versions
from grader.workflow.session import reset as resetting
from grader.workflow.session import start as starting
from grader.workflow.session.find import exercise as find
from grader.workflow.session.lookback import look_back
from grader.workflow.session.place import after


def _teller(place: Output) -> Progress:
    def tell(code: str, facts: Mapping[str, str]) -> None:
        place.update(Note(plain(catalogue("progress")[code]["doing"].format_map(facts))))

    return tell


def check(exercise: str, *, deadline: float = 60.0) -> None:
    """Give one verdict on an exercise, as a card.

    Args:
        exercise: its id.
        deadline: seconds to wait for the cluster to settle.

    """
    place = put(Note(labels()["notebook.checking"]))
    with told(place):
        report = checking.check(find(exercise), kernel.current(), deadline=deadline, progress=_teller(place))
        progress.record(report)
        place.update(Shown(_judged(report)))


def _judged(report: Report) -> Card:
    """Give the card of a report; one that passed names what can be read next."""
    card = report_card(report)
    if report.verdict is not Verdict.PASS:
        return card
    table = labels()
    more = table["notebook.solution"].format(exercise=report.exercise)
    match after(report.exercise, outlines(), progress.load().passed):
        case str() as name:
            links, onwards = card.links, table["notebook.next"].format(exercise=name)
        case Outline() as lesson:
            title = f"{lesson.number}. {lesson.title}"
            links, onwards = ((title, lesson.notebook),), table["notebook.next-lesson"].format(title=title)
        case _:
            return replace(card, parts=(*card.parts, (table["part.next"], more)))
    return replace(card, parts=(*card.parts, (table["part.next"], f"{onwards}{more}")), links=links)


def _begun(chosen: Exercise, result: starting.StartResult, cluster: ClusterInfo) -> Card:
    table = labels()
    facts = {"exercise": chosen.id, "file": result.starter, "namespace": result.namespace}
    file = table["notebook.file"].format(**facts)
    if not result.laid:
        file = f"{file}{table['notebook.kept']}"
    return Card(
        symbol=table["symbol.pass"],
        verdict=table["notebook.begun"],
        tone="pass",
        title=chosen.title,
        points="",
        chain=(),
        parts=(
            (table["part.place"], table["notebook.namespace"].format(**facts)),
            (table["part.file"], file),
            (table["part.next"], table["notebook.next-edit"].format(**facts)),
            *((table["part.inert"], conflict_words(item)) for item in conflicts(chosen, cluster)),
        ),
        rows=(),
    )


def start(exercise: str) -> None:
    """Lay an exercise's given workload and its starter file; plain kubectl in this notebook means it from now on."""
    _begin(exercise, starting.start)


def reset(exercise: str) -> None:
    """Make the Namespace and the starter file of an exercise new."""
    _begin(exercise, resetting.reset)


def _begin(exercise: str, run: Callable[[Exercise, ClusterInfo, Path, Progress], starting.StartResult]) -> None:
    place = put(Note(labels()["notebook.starting"]))
    with told(place):
        chosen, cluster = find(exercise), kernel.current()
        result = run(chosen, cluster, work_root(), _teller(place))
        if result.reset:
            progress.forget(chosen.id)
        current.enter(chosen, cluster)
        place.update(Shown(_begun(chosen, result, cluster)))
        if chosen.learner and not own.shows(chosen):  # the notebook shows the canonical task and starter
            starter = starting.starter_text(chosen).rstrip()
            put(Prose(f"{labels()['notebook.yours']}\n\n{chosen.task.rstrip()}\n\n```yaml\n{starter}\n```"))


def history(exercise: str, number: int | None = None) -> None:
    """Show the versions of an exercise's work file that were kept, or what one of them holds.

    Args:
        exercise: its id.
        number: which version; None for the list.

    """
    with told():
        chosen = find(exercise)
        file = starting.starter_path(chosen, work_root())
        if number is not None:
            put(Prose(f"```yaml\n{versions.version(file, number, chosen.id).text.rstrip()}\n```"))
            return
        known = versions.versions(file)
        listed = "\n".join(labels()["history.line"].format(**item.facts) for item in known)
        none = labels()["history.none"].format(exercise=chosen.id)
        put(Prose(f"```text\n{listed}\n```" if known else none))


def hint(exercise: str) -> None:
    """Open the next hint of an exercise."""
    with told():
        item = hints.next_hint(find(exercise))
        title = labels()["hint.title"].format(number=item.number, total=item.total)
        put(Prose(f"**{title}**\n\n{item.text}"))


def solution(exercise: str, *, yes: bool = False) -> None:
    """Show the answer of an exercise, explained.

    Args:
        exercise: its id.
        yes: show it although the exercise has not passed.

    """
    with told():
        chosen = find(exercise)
        if not yes and not progress.load().of(chosen.id).passed_at:
            raise UsageError("solution-closed", exercise=chosen.id)
        put(Prose("\n\n".join(filter(None, (chosen.solution, look_back(chosen, work_root()))))))


def map_() -> None:
    """Show the map of the course: what has passed, and where to go on."""
    with told():
        put(Prose(notebooks.shown_map(work_root() / "lessons", progress.load().passed)))


def watch(exercise: str, *, deadline: float = 60.0) -> None:
    """Judge the work file at every save, and the cluster at every change, until it passes or the kernel is interrupted.

    Args:
        exercise: its id.
        deadline: seconds to wait for the cluster to settle, at each verdict.

    """
    from grader.workflow.session.watch import Doing, Seen, Watching

    place, told_of = put(Note(labels()["notebook.starting"])), False

    def show(seen: Seen) -> None:
        nonlocal told_of
        if seen.error:
            raise seen.error
        if seen.begun and not told_of:
            told_of = True
            put(Note(plain(labels()["notebook.watching"].format(file=seen.begun.starter))))
        if seen.report and seen.doing is Doing.WATCHING:
            place.update(Shown(_judged(seen.report)))
            if seen.passed:
                watching.stop()

    with told(place):
        watching = Watching(kernel.current(), work_root(), show, deadline=deadline)
        try:
            watching.run(find(exercise))
        except KeyboardInterrupt:
            put(Note(labels()["notebook.stopped"]))
