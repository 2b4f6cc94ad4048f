"""Run a command of the grader's own by netexec's `/shell` at a vantage."""

from __future__ import annotations

import json

from grader.model.evidence import Outcome, ShellAnswer, ShellQuestion
from grader.observe.carriers import Carrier, RejectionError, SilenceError

SECONDS = 2.5


def ask_shell(carrier: Carrier, question: ShellQuestion) -> ShellAnswer:
    """Run it, and keep what it printed. Raises CarrierError where the vantage cannot be used, ClusterUnreachable."""
    try:
        answer = json.loads(carrier.get("shell", {"cmd": question.command}, SECONDS))
    except SilenceError:
        return ShellAnswer(question, Outcome.TIMEOUT)
    except (RejectionError, ValueError) as error:  # something else than netexec serves there
        return ShellAnswer(question, Outcome.BAD_RESPONSE, str(error)[:200])
    if not isinstance(answer, dict) or "output" not in answer:
        return ShellAnswer(question, Outcome.BAD_RESPONSE, str(answer)[:200])
    return ShellAnswer(question, Outcome.ANSWERED, str(answer["output"]))
