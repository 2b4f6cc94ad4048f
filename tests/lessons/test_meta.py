from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from grader.lessons.meta import LONGEST, exercise_meta, lesson_meta, shortened
from grader.lessons.source import read_lessons
from grader.model.exercise import Exercise
from grader.paths import content_root
from grader.text import catalogue


def read(front: str) -> Mapping[str, object]:
    _, block, rest = front.split("---\n")
    assert rest == "\n"
    found: Mapping[str, object] = yaml.safe_load(block)
    return found


def test_every_lesson_has_a_description_and_topics() -> None:
    slugs = [lesson.slug for lesson in read_lessons()]
    assert list(catalogue("pages")) == slugs
    for slug in slugs:
        meta = read(lesson_meta(slug))
        assert meta["description"] and meta["tags"], slug


def test_home_describes_each_lesson_in_the_same_words() -> None:
    home = (content_root() / "site" / "pages" / "index.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"\(lessons/([^)]+)\.md\) \| (.+) \|", home))
    assert rows == {slug: entry["description"] for slug, entry in catalogue("pages").items()}


def test_a_lesson_that_the_catalogue_lacks_has_no_front_matter() -> None:
    assert lesson_meta("99-none") == ""


def test_an_exercise_is_described_by_the_beginning_of_its_task(exercises: Mapping[str, Exercise]) -> None:
    for exercise in exercises.values():
        description = str(read(exercise_meta(exercise))["description"])
        assert description.endswith("。"), exercise.id
        assert "`" not in description and "\n" not in description


def test_whole_sentences_are_kept_while_there_is_room() -> None:
    assert shortened("`a`です。\n[b](c.md)です。") == "aです。bです。"
    assert shortened("あ" * LONGEST + "。次です。") == "あ" * LONGEST + "。"
