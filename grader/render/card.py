"""The words of a card: a Report or an error, put into sentences once, for every layout to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.errors import CourseError
from grader.model.report import CriterionResult, Report, Verdict
from grader.text import Message, catalogue, labels, message

ENVIRONMENT_STATUS = Verdict.ENVIRONMENT.exit_status


@dataclass(frozen=True)
class HopWords:
    """One station of the chain.

    Attributes:
        name: its name, for a person.
        symbol: one character for its state; never the only sign, `state` says it in words.
        state: its state in words.
        tone: value of HopState, for a layout to choose a colour.

    """

    name: str
    symbol: str
    state: str
    tone: str


@dataclass(frozen=True)
class Row:
    """One criterion.

    Attributes:
        id: the criterion's id.
        symbol: one character for its verdict.
        verdict: its verdict in words.
        tone: value of Verdict, or "skipped" where an earlier hop is broken.
        hop: the hop it is about, in words.
        subject: the object it is about, "" where nothing says so.
        aspect: what of that object it is about, "" where nothing says so.
        expected: what should be seen.
        seen: what was seen.
        points: "2 / 2".

    """

    id: str
    symbol: str
    verdict: str
    tone: str
    hop: str
    subject: str
    expected: str
    seen: str
    points: str
    aspect: str = ""


@dataclass(frozen=True)
class Card:
    """Everything a card shows.

    Attributes:
        symbol: one character for the verdict.
        verdict: the verdict in words, or the kind of error.
        tone: value of Verdict.
        title: the exercise's title, "" for an error outside an exercise.
        points: points in words, "" where there are none to tell.
        chain: the hops in order, empty for an error.
        parts: (label, sentence) lines: 何が・どこで・次に, or what a pass proved.
        pair: the criterion that the finding is about, to be compared side by side; None where nothing can be.
        rows: the criteria, empty for an error.
        footer: small words below: the cluster, the time.
        passed: how many criteria passed.
        links: (words, address) of where to go on, for a layout that can be clicked.

    """

    symbol: str
    verdict: str
    tone: str
    title: str
    points: str
    chain: tuple[HopWords, ...]
    parts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    pair: Row | None = None
    footer: tuple[str, ...] = ()
    passed: int = 0
    links: tuple[tuple[str, str], ...] = ()


def number(points: float) -> str:
    """Points without a needless fraction: 2, 1.5."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def finding_message(report: Report, result: CriterionResult | None = None) -> Message:
    """Find the sentences of a finding: a proof on a pass, else a diagnosis or a problem of the environment.

    A command in them says where to look: in the Namespace that the finding names, else in the exercise's.

    Args:
        report: the verdict on the exercise.
        result: one of its criteria; None for the finding that is shown first.

    Raises KeyError for an unknown code or a missing fact.
    """
    told = result or report
    place = {"exercise": report.exercise, "namespace": report.namespace or report.exercise}
    code, facts = told.finding.diagnosis, {**place, **told.finding.facts}
    if told.verdict is Verdict.PASS:
        return message("proofs", code, facts)
    if _needs_look(told):
        return message("classroom", code, facts)
    return message("environment" if code in catalogue("environment") else "diagnoses", code, facts)


def _needs_look(told: Report | CriterionResult) -> bool:
    """Whether a hand-in has no mark because of what it is, and not because a cluster failed."""
    return told.verdict is Verdict.ENVIRONMENT and told.finding.diagnosis in catalogue("classroom")


def _parts(tone: Verdict, words: Message) -> tuple[tuple[str, str], ...]:
    names = ("proof", "evidence", "next") if tone is Verdict.PASS else ("what", "where", "next")
    table = labels()
    lines = zip(names, (words.what, words.where, words.next), strict=True)
    return tuple((table[f"part.{name}"], sentence) for name, sentence in lines if sentence)


def _inert(report: Report) -> tuple[tuple[str, str], ...]:
    """Say which fields the verdict does not rest on, because the cluster does not act upon them."""
    table = labels()
    return tuple((table["part.inert"], table["card.inert"].format(field=field)) for field in report.inert)


def _urls(report: Report) -> tuple[tuple[str, str], ...]:
    """Say which URL works on this machine, and where the port is not that of the Service."""
    table = labels()
    lines = []
    for item in report.urls:
        facts = {"service": item.service, "port": item.node_port, "url": item.url}
        lines.append((table["part.url"], table["card.url-elsewhere" if item.elsewhere else "card.url"].format(**facts)))
    return tuple(lines)


def _points(report: Report) -> str:
    table = labels()
    if report.verdict in (Verdict.ENVIRONMENT, Verdict.NOT_YET):
        return table[f"points.{report.verdict.value}"]
    return table["points"].format(points=number(report.points), max=number(report.max_points))


def _skipped(result: CriterionResult, report: Report) -> bool:
    """Whether the criterion is about a hop behind the broken one: it is greyed, not failed."""
    if result.verdict is not Verdict.FAIL or report.broken is None:
        return False
    order = [hop for hop, _ in report.chain]
    if result.hop not in order or report.broken not in order:
        return False
    return order.index(result.hop) > order.index(report.broken)


def _row(result: CriterionResult, report: Report) -> Row:
    table = labels()
    tone = "skipped" if _skipped(result, report) else result.verdict.value
    return Row(
        id=result.id,
        symbol=table[f"symbol.{tone}"],
        verdict=table["table.skipped"] if tone == "skipped" else table[f"verdict.{tone}"],
        tone=tone,
        hop=table[f"hop.{result.hop.value}"],
        subject=result.subject,
        expected=result.expected or table["table.empty"],
        seen=result.seen or table["table.empty"],
        points=f"{number(result.points)} / {number(result.max_points)}",
        aspect=result.aspect,
    )


def _pair(report: Report) -> Row | None:
    """Find the first criterion that the finding of a failure is about, where it says what was expected and seen."""
    if report.verdict is not Verdict.FAIL:
        return None
    told = [item for item in report.criteria if item.verdict is Verdict.FAIL and item.finding == report.finding]
    return next((_row(item, report) for item in told if item.expected and item.seen != item.expected), None)


def _time(taken_at: str) -> str:
    """Tell the local wall-clock time of an RFC 3339 instant."""
    return datetime.fromisoformat(taken_at).astimezone().strftime("%H:%M:%S")


def report_card(report: Report) -> Card:
    """Make the card of a Report. Raises KeyError where a catalogue lacks a code or a fact."""
    table = labels()
    footer = []
    if report.cluster:
        footer.append(table["card.cluster"].format(cluster=report.cluster))
    if report.taken_at:
        footer.append(table["card.taken"].format(time=_time(report.taken_at)))
    return Card(
        symbol=table[f"symbol.{report.verdict.value}"],
        verdict=table["verdict.needs-look" if _needs_look(report) else f"verdict.{report.verdict.value}"],
        tone=report.verdict.value,
        title=report.title,
        points=_points(report),
        chain=tuple(
            HopWords(
                name=table[f"hop.{hop.value}"],
                symbol=table[f"state-symbol.{state.value}"],
                state=table[f"state.{state.value}"],
                tone=state.value,
            )
            for hop, state in report.chain
        ),
        parts=(*_parts(report.verdict, finding_message(report)), *_urls(report), *_inert(report)),
        rows=tuple(_row(result, report) for result in report.criteria),
        pair=_pair(report),
        footer=tuple(footer),
        passed=sum(result.verdict is Verdict.PASS for result in report.criteria),
    )


def error_card(error: CourseError, title: str = "") -> Card:
    """Make the card of an error: no chain, no criteria. Raises KeyError for a code without words."""
    table = labels()
    kind = "verdict.environment-error" if error.exit_status == ENVIRONMENT_STATUS else f"error.{error.exit_status}"
    environment = error.exit_status == ENVIRONMENT_STATUS
    return Card(
        symbol=table["symbol.environment-error" if environment else "symbol.fail"],
        verdict=table[kind],
        tone=Verdict.ENVIRONMENT.value if environment else Verdict.FAIL.value,
        title=title,
        points=table["points.environment-error"] if environment and title else "",
        chain=(),
        parts=_parts(Verdict.FAIL, message("errors", error.code, error.facts)),
        rows=(),
    )
