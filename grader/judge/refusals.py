"""Turn a refusal of the API server into a Finding: what it means is looked up by reason and field of each cause."""

from __future__ import annotations

from grader.causes.ruling import finding
from grader.causes.words import word
from grader.model.evidence import Action, ManifestResult
from grader.model.report import Finding
from grader.text import refusals


def explain(result: ManifestResult) -> Finding | None:
    """Explain a refused manifest by its first cause; None where it was not refused.

    Facts: kind, name, line, field, message (the server's own words), and the three parts of what it means:
    explanation (what), evidence (where), advice (next).
    """
    if result.action is not Action.REFUSED:
        return None
    first = refusals.explain(result.status, kind=result.kind, name=result.name, namespace=result.namespace)[0]
    words = first.message
    return finding(
        "manifest-rejected",
        kind=result.kind, name=result.name, line=result.line, field=first.field or word("plain", "unknown"),
        explanation=words.what, evidence=words.where, advice=words.next, message=str(result.status.get("message", "")),
    )  # fmt: skip
