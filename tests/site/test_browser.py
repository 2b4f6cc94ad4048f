"""The built site runs the course in Chromium and in Firefox, without a secure context or special headers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader import exercises
from grader.model.report import Report, Verdict
from grader.text import catalogue
from tests.site.browsers import Browser, Server
from tests.site.corpus import in_page, manifests

WORDS = catalogue("browser")

pytestmark = pytest.mark.browser


def asked(window: Browser, call: str, *given: str) -> dict[str, Any]:
    found: dict[str, Any] = window.evaluate(f"window.course.{call}({', '.join(map(json.dumps, given))})")
    return found


def verdict(answer: dict[str, Any]) -> Verdict:
    return Report.from_json(answer["report"]).verdict


def press(window: Browser, verb: str) -> str:
    """Press a button and wait until it may be pressed again; return what the page says then."""
    return str(
        window.evaluate(
            f"""new Promise((resolve) => {{
              const button = document.querySelector('.course button[value={verb}]');
              button.click();
              const wait = () => button.disabled
                ? setTimeout(wait, 20)
                : resolve(document.querySelector('.course-status').textContent);
              setTimeout(wait, 0);
            }})"""
        )
    )


def visit(window: Browser, server: Server, exercise: str = "clusterip") -> None:
    """Open an exercise's page, and wait until its buttons can be pressed."""
    window.open(f"{server.address}exercises/{exercise}/")
    window.evaluate(
        """new Promise((resolve) => {
          const wait = () => document.querySelector('.course button:enabled') ? resolve() : setTimeout(wait, 20);
          wait();
        })"""
    )


def begins(status: str, word: str) -> bool:
    return status.startswith(str(WORDS[word]).split("(")[0].split("{")[0])


def test_a_download_that_fails_is_a_sentence_and_can_be_tried_again(window: Browser, server: Server) -> None:
    server.asked.clear()
    visit(window, server)
    assert server.large() == []
    status = window.evaluate("document.querySelector('.course-status').textContent")
    assert begins(status, "ready") and "MB" in status
    server.lacks = (".bin",)
    assert begins(press(window, "check"), "download")
    server.lacks = ()


def test_a_browser_that_cannot_is_told_so_before_anything_is_loaded(window: Browser, server: Server) -> None:
    visit(window, server)  # what the page before this one still asked for is over
    server.asked.clear()
    visit(window, server)
    window.evaluate("void (window.DecompressionStream = undefined)")
    assert begins(press(window, "check"), "old-browser")
    server.policy = "script-src 'self' 'unsafe-inline' blob:"  # without 'wasm-unsafe-eval'
    visit(window, server)
    assert begins(press(window, "check"), "blocked")
    server.policy = ""
    assert server.large() == []


def test_one_verdict_end_to_end_with_the_buttons(window: Browser, server: Server) -> None:
    server.encoded = window.name == "firefox"  # a browser then hands over what is unpacked already
    visit(window, server)
    assert window.evaluate("[window.crossOriginIsolated, window.isSecureContext]") == [False, False]
    exercise = exercises.load("clusterip")
    editor = "document.querySelector('.course textarea')"
    assert window.evaluate(f"{editor}.value") == exercise.starter
    assert press(window, "check") == WORDS["done"]
    assert "gsc-fail" in window.evaluate("document.querySelector('.course-card').innerHTML")
    window.evaluate(f"void ({editor}.value = {json.dumps(exercise.answers[0].text)})")
    assert press(window, "apply") == WORDS["done-apply"]
    assert press(window, "check") == WORDS["done-check"]
    assert "gsc-pass" in window.evaluate("document.querySelector('.course-card').innerHTML")
    assert press(window, "hint") == WORDS["done-hint"]
    assert window.evaluate("[...document.querySelectorAll('details.tip')].map((hint) => hint.open)")[:2] == [
        True,
        False,
    ]
    assert press(window, "reset") == WORDS["done-reset"]
    assert window.evaluate(f"{editor}.value") == exercise.starter


def test_what_was_written_is_there_after_a_full_load(window: Browser, server: Server) -> None:
    visit(window, server)
    editor = "document.querySelector('.course textarea')"
    window.evaluate(f"void ({editor}.value = '# mine', {editor}.dispatchEvent(new Event('input')))")
    visit(window, server)
    assert window.evaluate(f"{editor}.value") == "# mine"


def test_a_second_load_fetches_nothing_of_the_large_files(window: Browser, server: Server) -> None:
    visit(window, server, "nodeport")
    server.asked.clear()
    assert verdict(asked(window, "check", "nodeport")) is Verdict.FAIL
    assert server.large() == []
    assert "assets/browser/worker.js" in "".join(server.asked)


def test_exercises_come_out_as_on_the_command_line(window: Browser) -> None:
    """A sample: `python -m tests.site.corpus` tries everything that is a manifest."""
    chosen = exercises.all_exercises() if window.name == "chrome" else exercises.all_exercises()[::8]
    for exercise in chosen:
        sample = [next(task for task in manifests(exercise) if task.kind in ("answer", "wrong"))]
        assert [got for got, _ in in_page(window, exercise, sample)] == [sample[0].expected], exercise.id
    assert window.complaints == []
