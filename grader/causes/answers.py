"""What was answered, written for a person; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from grader.causes.scene import Scene
from grader.causes.words import vantage_text, word
from grader.model.evidence import Outcome, ReachAnswer, ReachQuestion


def address_of(question: ReachQuestion) -> str:
    """Write where a question goes: "backend-service:80"."""
    return f"{question.host}:{question.port}"


def described(scene: Scene, questions: Iterable[ReachQuestion]) -> str:
    """Write the answers to questions, a line each: who answered how often, or how the asking ended."""
    return "\n".join(map(_describe, scene.reach_answers(questions)))


def _describe(answer: ReachAnswer) -> str:
    who = ", ".join(f"{name}×{count}" for name, count in answer.responders.items())
    ended = "" if answer.outcome is Outcome.ANSWERED else word("outcome", answer.outcome)
    text = " / ".join(part for part in (who, ended) if part)
    return f"{vantage_text(answer.question.vantage)} → {address_of(answer.question)}: {text}"
