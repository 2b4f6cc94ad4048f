"""The editor stands on an exercise's page as HTML that Markdown leaves alone."""

from __future__ import annotations

import json
import re

import pytest

from grader import exercises
from grader.lessons.editor import VERBS, editor
from grader.text import catalogue


def test_a_starter_is_text_whatever_it_holds() -> None:
    markdown = pytest.importorskip("markdown")
    exercise = exercises.load("clusterip")
    chosen = type(exercise)(**{**vars(exercise), "starter": "# a\n\n```\n\n- </textarea><b>&amp;\n"})
    page = markdown.markdown(
        f"# x\n\n{editor(chosen)}\n\ny\n", extensions=["md_in_html", "pymdownx.superfences", "attr_list"]
    )
    inside = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert inside and inside[1] == "# a\n\n```\n\n- &lt;/textarea&gt;&lt;b&gt;&amp;amp;\n"


def test_it_has_a_button_a_verb_and_words_for_what_can_happen() -> None:
    text = editor(exercises.load("clusterip"))
    assert re.findall(r'<button[^>]* value="(\w+)"', text) == list(VERBS)
    words = json.loads(re.search(r"<script[^>]*>(.*)</script>", text)[1])  # type: ignore[index]
    assert words == catalogue("browser")
