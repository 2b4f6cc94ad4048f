"""What `grader verify --attacks` shows: operator by operator, then survivors, misfires, and causes not named."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from grader import exercises
from grader.cli.proved import print_attempts, print_exempt, print_tally
from grader.workflow.proof.verify import Attempt, VerifyResult
from tests.render.samples import FAILED, PASSED


def made(operator: str, got: str, *, kind: str = "attack", named: bool = False) -> Attempt:
    expected = "fail" if kind == "attack" else "pass"
    report = FAILED if got == "fail" else PASSED
    sound = got == expected
    return Attempt(
        "clusterip", kind, f"{operator} X/y", expected, got, sound, 0.1, report,
        operator=operator, names=("y",), named=named,
    )  # fmt: skip


def shown(*attempts: Attempt) -> tuple[str, bool]:
    out = Console(width=160)
    with out.capture() as captured:
        holds = print_tally(VerifyResult("embedded v1", attempts, 1.0), out)
    return captured.get(), holds


def test_survivors_misfires_and_unnamed_causes_are_listed_and_fail() -> None:
    text, holds = shown(
        made("scaled", "fail", named=True),
        made("deleted", "pass"),
        made("retyped", "fail"),
        made("as-list", "fail", kind="harmless"),
    )
    assert not holds
    survivors, misfires, unnamed = (text.index(word) for word in ("deleted X/y", "as-list X/y", "retyped X/y"))
    assert survivors < misfires < unnamed
    assert "(y)" in text[unnamed:]
    assert "66.7%" in text
    assert "50.0%" in text


def test_all_that_is_caught_and_named_holds() -> None:
    text, holds = shown(made("scaled", "fail", named=True), made("as-list", "pass", kind="harmless"))
    assert holds
    assert "X/y" not in text
    assert text.count("100.0%") == 2


def test_an_attempt_that_is_not_as_expected_is_shown_last_with_its_card() -> None:
    out = Console(width=160)
    with out.capture() as captured:
        print_attempts(VerifyResult("embedded v1", (made("deleted", "pass"), made("scaled", "fail")), 1.0), out)
    text = captured.get()
    assert text.index("scaled X/y") < text.index("deleted X/y") < text.index(PASSED.title)


def test_exempt_exercises_are_named_with_their_reason() -> None:
    exempt = exercises.load("external-endpoints")
    out = Console(width=160)
    with out.capture() as captured:
        print_exempt([exempt, replace(exempt, id="other", renewed_exempt="")], out)
    assert exempt.renewed_exempt in captured.get()
    assert "other" not in captured.get()
