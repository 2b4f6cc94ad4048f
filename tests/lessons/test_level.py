from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from grader.lessons.level import Level, level_of
from grader.lessons.source import Lesson, read_lessons
from grader.model.exercise import Exercise


def test_the_first_exercise_of_a_lesson_is_basic_and_the_others_go_further(
    lesson: Lesson, exercises: Mapping[str, Exercise]
) -> None:
    both = replace(lesson, exercises=("clusterip", "clusterip-named-port"))
    assert level_of(exercises["clusterip"], both) is Level.BASIC
    assert level_of(exercises["clusterip-named-port"], both) is Level.FURTHER


def test_the_last_lessons_review() -> None:
    lessons = {lesson.number: lesson for lesson in read_lessons()}
    assert Level.REVIEW.minutes > Level.FURTHER.minutes > Level.BASIC.minutes
    assert max(lessons) == 18


def test_every_level_is_taken(exercises: Mapping[str, Exercise]) -> None:
    lessons = {lesson.number: lesson for lesson in read_lessons()}
    levels = Counter(level_of(exercise, lessons.get(exercise.lesson)) for exercise in exercises.values())
    assert set(levels) == set(Level)
    assert level_of(exercises["final-exam"], lessons[18]) is Level.REVIEW
