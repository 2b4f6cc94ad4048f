"""A command of the grader's own, run at a vantage: what it printed, or why not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from grader.model.evidence import Outcome, ShellAnswer, ShellQuestion
from grader.observe.carriers import RejectionError, SilenceError
from grader.observe.shell import ask_shell

QUESTION = ShellQuestion("pod/client:8080", "env")


class Carrier:
    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        assert timeout > 0
        self.asked.append((path, query))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_the_command_printed_is_kept() -> None:
    carrier = Carrier(b'{"output":"A=1\\nB=2\\n"}')
    assert ask_shell(carrier, QUESTION) == ShellAnswer(QUESTION, Outcome.ANSWERED, "A=1\nB=2\n")
    assert carrier.asked == [("shell", {"cmd": "env"})]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (SilenceError(), Outcome.TIMEOUT),
        (RejectionError("no"), Outcome.BAD_RESPONSE),
        (b"<html>", Outcome.BAD_RESPONSE),
        (b"[]", Outcome.BAD_RESPONSE),
        (b'{"error":"exit status 1"}', Outcome.BAD_RESPONSE),
    ],
)
def test_anything_else_is_no_answer(answer: bytes | Exception, outcome: Outcome) -> None:
    assert ask_shell(Carrier(answer), QUESTION).outcome is outcome
