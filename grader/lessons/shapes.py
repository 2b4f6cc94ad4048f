"""The shape of what a command printed: the same on every run and cluster, though addresses, names and times differ.

A lesson shows outputs that were recorded once. CI runs the commands again and compares shapes, so that no page shows
what a cluster no longer says.
"""

from __future__ import annotations

import re

from grader.lessons.formats import nbformat
from grader.lessons.outputs import Outputs, collect, key
from grader.lessons.source import Lesson

# What differs from run to run, in the order in which it is replaced.
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| [+-]\d{4}(?: UTC)?)?"), "<time>"),
    (
        re.compile(
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [A-Za-z0-9: ,+-]+\d{4}(?: [+-]\d{4})?(?: \d\d:\d\d:\d\d GMT)?"
        ),
        "<time>",
    ),
    (re.compile(r"\S+ \((?:amd64|arm64)\)"), "<kernel>"),
    (re.compile(r"\b\d{1,3}(?:[.-]\d{1,3}){3}(?:/\d+)?\b"), "<ip>"),
    (re.compile(r"\b[a-z0-9-]+-(?:control-plane|worker\d*)\b"), "<node>"),
    (re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}(?:-[bcdfghjklmnpqrstvwxz2456789]{5})?\b"), "-<hash>"),
    (re.compile(r"-(?=[a-z]*\d|[bcdfghjklmnpqrstvwxz]{5})[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "-<id>"),
    (re.compile(r"(?<=<ip>:)[3-6]\d{4}\b"), "<port>"),
    (re.compile(r"\b3[0-2]\d{3}\b"), "<node-port>"),
    (re.compile(r"(?<=:)[3-6]\d{4}\b"), "<port>"),
    (re.compile(r"\b(?:\d+[dhms]){1,3}\b"), "<age>"),
    (re.compile(r"\b\d+\.\d{2,}\b"), "<number>"),
    (re.compile(r"\b\d+ (?=(?:ms|msec|milliseconds)\b)"), "<number> "),
    (re.compile(r"^\s*\d+ (?=\S)"), "<count> "),
    (re.compile(r"(?<=id: )\d+|(?<=COOKIE: )[0-9a-f]+(?: \(good\))?|(?<=rcvd: )\d+"), "<number>"),
)
_PROGRESS = re.compile(
    r"^(?:Waiting for |waiting for |partitioned roll out|\S+ condition met$|Waiting \d+ |namespace \".*\" deleted)"
)
_SPACE = re.compile(r"\s+")


def shape(text: str) -> frozenset[str]:
    """Compute the shape: the different lines, without what varies, without lines that tell progress."""
    return frozenset(_line(line) for line in text.splitlines() if line.strip() and not _PROGRESS.match(line))


def _line(line: str) -> str:
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return _SPACE.sub(" ", line).strip()


def mismatches(lesson: Lesson, executed: nbformat.NotebookNode, recorded: Outputs) -> tuple[str, ...]:
    """Compare what the commands of a lesson printed with what is recorded; one text a cell whose shape differs."""
    printed = collect(lesson, executed, recorded.cluster, recorded.version)
    found = []
    for cell in lesson.cells:
        if not cell.prints:
            continue
        then, now = shape(recorded.by_cell.get(key(cell), "")), shape(printed.by_cell.get(key(cell), ""))
        if then != now:
            lines = [*(f"- {line}" for line in sorted(then - now)), *(f"+ {line}" for line in sorted(now - then))]
            found.append("\n".join([cell.source.strip(), *lines]))
    return tuple(found)
