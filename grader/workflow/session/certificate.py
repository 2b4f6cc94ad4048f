"""The certificate: which exercises passed when, and what each pass proved; nothing that did not pass."""

from __future__ import annotations

from collections.abc import Sequence

from grader.errors import UsageError
from grader.lessons.outline import outlines
from grader.model.exercise import Exercise
from grader.render.certificate import Certificate, Proved
from grader.workflow.session.progress import Progress, instant


def certificate(exercises: Sequence[Exercise], known: Progress, name: str = "") -> Certificate:
    """Make the certificate of what passed.

    Args:
        exercises: all of the course, in order.
        known: the learner's progress.
        name: whose it is, "" for a line to write the name on.

    Raises UsageError ("certificate-nothing-passed") where nothing has passed, ContentError.
    """
    titles = {lesson.number: lesson.title for lesson in outlines()}
    proved = tuple(
        Proved(
            lesson=f"{item.lesson}. {titles.get(item.lesson, '')}",
            title=item.title,
            proof=known.of(item.id).proof,
            points=known.of(item.id).points,
            max_points=item.points,
            passed_on=instant(known.of(item.id).passed_at).astimezone().date(),
        )
        for item in exercises
        if known.of(item.id).passed_at
    )
    if not proved:
        raise UsageError("certificate-nothing-passed")
    return Certificate(name, proved, total=len(exercises))
