"""How hard an exercise is, and how long it takes, about: by its place in the course."""

from __future__ import annotations

from enum import StrEnum

from grader.lessons.source import Lesson
from grader.model.exercise import Exercise

REVIEW = 15
"""From this lesson on, exercises put together what the lessons before taught one by one."""


class Level(StrEnum):
    """How hard an exercise is."""

    BASIC = "basic"  # the first one of its lesson, which asks for what the lesson has just shown
    FURTHER = "further"  # the others of a lesson: the same in a setting that the lesson does not show
    REVIEW = "review"  # what several lessons taught, together

    @property
    def minutes(self) -> int:
        """How long a learner who has read the lesson needs, about."""
        return {Level.BASIC: 10, Level.FURTHER: 15, Level.REVIEW: 30}[self]


def level_of(exercise: Exercise, lesson: Lesson | None) -> Level:
    """Give the level of an exercise in its lesson."""
    if exercise.lesson >= REVIEW:
        return Level.REVIEW
    return Level.BASIC if lesson is None or lesson.exercises[:1] == (exercise.id,) else Level.FURTHER
