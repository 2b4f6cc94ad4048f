"""What the API server said of a manifest, as a card: accepted objects in a line each, a refusal with what it means."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model.evidence import Action, ManifestResult
from grader.model.report import Verdict
from grader.render.card import Card
from grader.text import labels
from grader.text.refusals import explain


def _line(result: ManifestResult) -> str:
    table = labels()
    place = "apply.object" if result.namespace else "apply.cluster-object"
    return table[place].format(kind=result.kind, name=result.name or "?", namespace=result.namespace)


def apply_card(results: Sequence[ManifestResult], *, saved: str = "", kept: str = "", next_step: str = "") -> Card:
    """Give the card of an apply: the refusals first, each with its place, its meaning and the server's own words.

    Args:
        results: one an object, as `grader.workflow.ground.apply` gives them.
        saved: the file that the manifest was saved to, "" where it was not.
        kept: where what that file held before is kept, "" where it held nothing of the learner's.
        next_step: what to do next where everything was accepted, "" for nothing.

    """
    table = labels()
    refused = [result for result in results if result.action is Action.REFUSED]
    parts: list[tuple[str, str]] = []
    for result in refused:
        parts.append((table["part.place"], table["apply.at"].format(line=result.line, object=_line(result))))
        for refusal in explain(result.status, kind=result.kind, name=result.name, namespace=result.namespace):
            words = refusal.message
            parts += zip(
                (table["part.what"], table["part.where"], table["part.next"]),
                (words.what, words.where, words.next),
                strict=True,
            )
        parts.append((table["part.server"], str(result.status.get("message") or "")))
    for result in results:
        if result.action is not Action.REFUSED:
            parts.append((table[f"action.{result.action.value}"], _line(result)))
        parts += [(table["part.warning"], warning) for warning in result.warnings]
    if next_step and not refused:
        parts.append((table["part.next"], next_step))
    tone = Verdict.FAIL if refused else Verdict.PASS
    notes = (("apply.saved", saved), ("apply.kept", kept))
    return Card(
        symbol=table[f"symbol.{tone.value}"],
        verdict=table["apply.refused" if refused else "apply.accepted"],
        tone=tone.value,
        title="",
        points="",
        chain=(),
        parts=tuple(parts),
        rows=(),
        footer=tuple(table[key].format(file=file) for key, file in notes if file),
    )
