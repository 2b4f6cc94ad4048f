"""Ask two DNS servers the same, and collect where they differ."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from tests.coredns.asking import Answer, Question, ask
from tests.coredns.differences import known

AGAIN_SECONDS = (0.3, 1.0)
"""What differs is asked again: one of the two may have heard of a change before the other."""


class Comparison:
    """What was asked so far.

    Attributes:
        count: how many questions.
        outcomes: what CoreDNS said → how often.
        answered: the questions to which CoreDNS gave records.
        known: name of a known difference → how often it was met.
        found: in what they differ → the first question that showed it, and both answers.
    """

    def __init__(self, real: int, ours: int) -> None:
        self.real, self.ours = real, ours
        self.count = 0
        self.outcomes: Counter[str] = Counter()
        self.answered: list[Question] = []
        self.known: Counter[str] = Counter()
        self.found: dict[str, tuple[Question, Answer, Answer]] = {}

    def compare(self, questions: Iterable[Question]) -> None:
        """Ask both."""
        for question in questions:
            self.count += 1
            real, ours = ask(question, self.real), ask(question, self.ours)
            for seconds in AGAIN_SECONDS:
                if _agree(real, ours) or known(question, real, ours) or _key(question, real, ours) in self.found:
                    break
                time.sleep(seconds)
                real, ours = ask(question, self.real), ask(question, self.ours)
            self._judge(question, real, ours)

    def _judge(self, question: Question, real: Answer, ours: Answer) -> None:
        records = "records" if real.get("answer") else "empty"
        if real.get("answer"):
            self.answered.append(question)
        self.outcomes[f"{real.get('rcode', 'silent')} {records}"] += 1
        if _agree(real, ours):
            return
        if name := known(question, real, ours):
            self.known[name] += 1
            return
        self.found.setdefault(_key(question, real, ours), (question, real, ours))

    def summary(self) -> str:
        """One line for a log."""
        return f"{self.count} questions: {dict(self.outcomes)}, known differences {dict(self.known)}"

    def told(self) -> str:
        """Where they differ, for whoever mends it."""
        return "\n\n".join(
            f"{key}\n  {asdict(question)}\n" + "\n".join(_lines(real, ours))
            for key, (question, real, ours) in sorted(self.found.items())
        )


def _agree(real: Answer, ours: Answer) -> bool:
    """Whether they say the same; two that are silent say nothing."""
    return real == ours and "silent" not in real


def _key(question: Question, real: Answer, ours: Answer) -> str:
    fields = ",".join(sorted(key for key in {*real, *ours} if real.get(key) != ours.get(key)))
    return f"{question.type} {real.get('rcode')}/{ours.get('rcode')} {fields}"


def _lines(real: Answer, ours: Answer) -> list[str]:
    return [
        f"  {key}\n    CoreDNS  {real.get(key)}\n    embedded {ours.get(key)}"
        for key in {**real, **ours}
        if real.get(key) != ours.get(key)
    ]
