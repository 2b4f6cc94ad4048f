from __future__ import annotations

import re

import markdown
import pytest

from grader.exercises import all_exercises
from grader.lessons.markdown import joined
from grader.lessons.notebook import learner_notebook
from grader.lessons.outputs import Outputs
from grader.lessons.page import lesson_page
from grader.lessons.source import Lesson, read_lessons

EXTENSIONS = ["tables", "admonition", "fenced_code", "grader.lessons.breaks"]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("一つ目です。\n二つ目です。", "<p>一つ目です。二つ目です。</p>"),
        ("`code`は\n`code`\nです。", "<p><code>code</code>は<code>code</code>です。</p>"),
        ("Podは、\nPodです。", "<p>Podは、Podです。</p>"),
        ("one\ntwo", "<p>one\ntwo</p>"),
        ("```text\n一\n二\n```", '<pre><code class="language-text">一\n二\n</code></pre>'),
        ("一。  \n二。", "<p>一。<br />\n二。</p>"),
        ("- 一。\n  二。\n- 三。", "<ul>\n<li>一。二。</li>\n<li>三。</li>\n</ul>"),
    ],
)
def test_no_space_is_shown_where_a_japanese_paragraph_breaks(source: str, shown: str) -> None:
    assert markdown.markdown(source, extensions=EXTENSIONS) == shown


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("一。\n二。\n\n三。", "一。二。\n\n三。"),
        ("> **注意**\n>\n> 一。\n> `二`です。", "> **注意**\n>\n> 一。`二`です。"),
        ("- 一\n- 二\n\n| 三 |\n| --- |", "- 一\n- 二\n\n| 三 |\n| --- |"),
        ("一。\n```bash\n二\n三\n```\n四", "一。\n```bash\n二\n三\n```\n四"),
        ("> a\n> b", "> a\n> b"),
        ("# 一\n二", "# 一\n二"),
    ],
)
def test_paragraphs_of_a_notebook_are_joined_and_nothing_else(source: str, text: str) -> None:
    assert joined(source) == text


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_no_lesson_shows_a_space_between_sentences(lesson: Lesson) -> None:
    exercises = {exercise.id: exercise for exercise in all_exercises()}
    page = markdown.markdown(lesson_page(lesson, exercises, Outputs()), extensions=EXTENSIONS)
    prose = re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert not re.findall("。\\n[^<\\s]", prose)
    cells = learner_notebook(lesson, exercises).cells
    for cell in cells:
        if cell.cell_type == "markdown":
            fenceless = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            assert not re.findall("。\\n(?![-#>|<\\s])(?!\\d+\\. )", fenceless), cell.source
