"""The site's pages, generated as Markdown: one a lesson, one an exercise, and the catalogue of exercises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from grader.lessons.editor import editor
from grader.lessons.level import level_of
from grader.lessons.markdown import admonitions, fenced, indented, shift_headings, without_title
from grader.lessons.notebook import exercise_of, task_markdown, varied_note
from grader.lessons.outline import whole_minutes
from grader.lessons.outputs import Outputs
from grader.lessons.source import EXERCISE_TAG, SETUP_TAG, Cell, CellKind, Lesson, replace_task_mark, task_marks
from grader.lessons.words import word
from grader.model.exercise import Exercise

SHELL = 'eval "$(.venv/bin/grader env)"'
"""What a shell is told first: without it, kubectl would change whatever cluster its reader uses otherwise."""
ADMONITIONS = ("question", "note", "info", "warning")


def lesson_page(lesson: Lesson, exercises: Mapping[str, Exercise], outputs: Outputs) -> str:
    """Write a lesson as a page: blockquotes become admonitions, commands carry their recorded output."""
    parts: list[str] = []
    for index, cell in enumerate(lesson.cells):
        if cell.kind is CellKind.TEXT:
            text = cell.source
            for id_ in task_marks(text):
                text = replace_task_mark(text, id_, task_markdown(exercises[id_]))
            if index == 0:
                text = _with_lead(lesson, exercises, text)
            parts.append(admonitions(text, {word(f"admonition.{kind}"): kind for kind in ADMONITIONS}))
        else:
            parts.append(_code(cell, lesson, exercises, outputs))
    return "\n\n".join(parts).rstrip() + "\n"


def exercise_page(exercise: Exercise, lesson: Lesson | None) -> str:
    """Write an exercise as a page: task, editor, the ways elsewhere, and the hints, each closed."""
    parts = [f"# {exercise.title}"]
    if lesson:
        facts = {"lesson": lesson.number, "lesson_title": lesson.title, "slug": lesson.slug}
        parts.append(word("exercise.lead", points=f"{exercise.points:g}", **facts))
    task = without_title(exercise.task).rstrip()
    parts.append(varied_note(exercise) + task.replace("```bash\nkubectl ", f"```bash\n{SHELL}\nkubectl ", 1))
    parts.append(f"## {word('exercise.here')}")
    parts.append(editor(exercise))
    parts.append(f"## {word('exercise.do')}")
    parts.append(_both_ways(exercise))
    parts.append(f"## {word('hints.title')}")
    for number, hint in enumerate(exercise.hints, start=1):
        parts.append(f'??? tip "{word("hint.title", number=number)}"\n\n{indented(shift_headings(hint, 2))}')
    parts.append(f'??? info "{word("exercise.given")}"\n\n{indented(fenced(exercise.given, "yaml"))}')
    return "\n\n".join(parts) + "\n"


def catalogue_page(exercises: Iterable[Exercise], lessons: Mapping[int, Lesson]) -> str:
    """Write the table of all exercises, with the place of its filter (`site/browser/catalogue.ts`)."""
    heads = [word(f"catalogue.head.{name}") for name in ("title", "lesson", "level", "minutes", "points")]
    rows = [f"| {' | '.join(heads)} |", "| --- | --- | --- | --: | --: |"]
    for exercise in exercises:
        lesson = lessons.get(exercise.lesson)
        shown = f"[{lesson.number}. {lesson.title}](../lessons/{lesson.slug}.md)" if lesson else str(exercise.lesson)
        level = level_of(exercise, lesson)
        minutes = word("catalogue.minutes", minutes=level.minutes)
        title = f"[{exercise.title}]({exercise.id}.md)"
        rows.append(f"| {title} | {shown} | {word(f'catalogue.level.{level}')} | {minutes} | {exercise.points:g} |")
    words = {name: word(f"catalogue.filter.{name}", number="{number}") for name in ("word", "level", "all", "shown")}
    place = f'<div class="catalogue-filter" data-words="{escape(json.dumps(words, ensure_ascii=False))}"></div>'
    return "\n\n".join([f"# {word('catalogue.title')}", word("catalogue.lead"), place, "\n".join(rows)]) + "\n"


def soundness_page(exercises: Iterable[Exercise], record: Mapping[str, Any]) -> str:
    """Write the table of what proves each exercise sound; `record` is exercises/verified.json."""
    heads = [
        word(f"soundness.head.{name}")
        for name in ("exercise", "criteria", "answers", "wrong", "caught", "mutants", "survivors")
    ]
    rows = [f"| {' | '.join(heads)} |", "| --- | --: | --: | --: | --: | --: | --: |"]
    sums = [0] * 6
    for exercise in exercises:
        proved = record["exercises"].get(exercise.id, {})
        numbers = [
            len(exercise.criteria),
            *(proved.get(key, 0) for key in ("answer", "wrong", "wrong-sound", "mutation", "mutation-passed")),
        ]
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
        rows.append(f"| [{exercise.title}]({exercise.id}.md) | {' | '.join(map(str, numbers))} |")
    rows.append(f"| {word('soundness.sum')} | {' | '.join(map(str, sums))} |")
    clusters = word("soundness.clusters", clusters=", ".join(record["clusters"]))
    parts = [f"# {word('soundness.title')}", word("soundness.lead"), clusters, "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _with_lead(lesson: Lesson, exercises: Mapping[str, Exercise], text: str) -> str:
    title, _, rest = text.partition("\n")
    own = [exercise.points for exercise in exercises.values() if exercise.lesson == lesson.number]
    facts = {"number": lesson.number, "minutes": whole_minutes(lesson.minutes, sum(own)), "slug": lesson.slug}
    facts |= {"count": len(own), "exercise": lesson.exercises[0], "here": word("exercise.here")}
    lead = word("page.lead", **facts)
    return f"{title}\n\n{lead}\n\n{word('page.how')}\n{rest}"


def _code(cell: Cell, lesson: Lesson, exercises: Mapping[str, Exercise], outputs: Outputs) -> str:
    if EXERCISE_TAG in cell.tags:
        exercise = exercises[exercise_of(cell)]
        return fenced(f"{cell.source}\n{exercise.starter}", "yaml")
    block = fenced(cell.source, "bash" if cell.kind is CellKind.SHELL else "python")
    if SETUP_TAG in cell.tags:
        short = fenced(f"{SHELL}\ngrader lessons start {lesson.number}", "bash")
        block = f'{word("setup.shell")}\n\n{short}\n\n??? info "{word("setup.title")}"\n\n{indented(block)}'
    printed = outputs.of(cell)
    if not printed:
        return block
    title = word("output.title", cluster=outputs.cluster, version=outputs.version)
    return f'{block}\n\n??? example "{title}"\n\n{indented(fenced(printed, "text"))}'


def _both_ways(exercise: Exercise) -> str:
    id_ = exercise.id
    cells = [f'start("{id_}")', f"%%apply {id_}\n{exercise.starter.rstrip()}", f'check("{id_}")', f'hint("{id_}")']
    steps = ("start", "edit", "check", "hint")
    starter = f"work/{id_}.yaml"
    commands = [
        SHELL,
        f"grader start {id_}",
        f"kubectl apply -n {exercise.namespace} -f {starter}",
        f"grader check {id_}",
        f"grader hint {id_}",
    ]
    languages = ("python", "yaml", "python", "python")
    return "\n\n".join(
        [
            f'=== "{word("tab.notebook")}"',
            *(indented(fenced(cell, language)) for cell, language in zip(cells, languages, strict=True)),
            f'=== "{word("tab.terminal")}"',
            *(
                indented(f"{word(f'step.{step}', exercise=id_)}\n\n{fenced(command, 'bash')}")
                for step, command in zip(("shell", *steps), commands, strict=True)
            ),
        ]
    )
