"""Take what Moodle and Canvas let a teacher download, and fill in the sheets that they import.

Moodle's zip of all submissions holds `FULL NAME_PARTICIPANT_assignsubmission_file_/FILE`, or the same without a folder;
Canvas's holds `NAME[_LATE]_USER_ATTACHMENT_FILE`, and marks a later attempt's file by `-1` before its ending. Both keep
the id under which they know the person: it stays in the student's id here, `FULL NAME_PARTICIPANT`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.classroom.files import Files, Refused
from grader.classroom.marks import Marks, harmless
from grader.classroom.submission import is_student
from grader.errors import UsageError
from grader.paths import write_atomically

MOST_BYTES = 30_000_000
MOODLE = re.compile(r"(?P<name>[^/]+)_(?P<id>\d+)_assignsubmission_file_?/?(?P<rest>[^/].*)")
CANVAS = re.compile(r"(?P<name>[^/_]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<rest>[^/]+)")
_ATTEMPT = re.compile(r"-\d+(?=\.[A-Za-z.]+$)")
_ID = re.compile(r"\d+")


@dataclass(frozen=True)
class Imported:
    """What was taken from a download.

    Attributes:
        students: their ids.
        skipped: paths of which nothing tells whose they are, or that could not be read.
    """

    students: tuple[str, ...]
    skipped: tuple[str, ...]


def take(download: Path, submissions: Path) -> Imported:
    """Lay the files of a download (a zip, or the folder it was unpacked into) out as a folder for each student.

    Raises UsageError ("download-missing", "download-unknown") where there is nothing of that form, OSError.
    """
    if not download.exists():
        raise UsageError("download-missing", file=download)
    files = Files.under(download, most=None)
    skipped = [place for _, place in files.problems]
    students: dict[str, None] = {}
    for path in files.paths:
        found = _whose(path)
        if found is None:
            skipped.append(str(path))
            continue
        student, place = found
        try:
            data = files.read(path, MOST_BYTES)
        except Refused:
            skipped.append(str(path))
            continue
        write_atomically(submissions / student / place, data)
        students[student] = None
    if not students:
        raise UsageError("download-unknown", file=download)
    return Imported(tuple(sorted(students)), tuple(skipped))


def _whose(path: PurePosixPath) -> tuple[str, PurePosixPath] | None:
    """Tell whose a file is, and where it belongs among that person's; None where nothing tells."""
    parts = path.parts
    for start in range(len(parts)):  # a download may be unpacked into a folder, or hold one
        text = "/".join(parts[start:])
        if match := MOODLE.fullmatch(text):
            rest = PurePosixPath(match["rest"])
        elif start == len(parts) - 1 and (match := CANVAS.fullmatch(text)):
            rest = PurePosixPath(_ATTEMPT.sub("", match["rest"]))
        else:
            continue
        student = f"{match['name'].strip()}_{match['id']}"
        return (student, rest) if is_student(student) and ".." not in rest.parts else None
    return None


def fill(sheet: str, column: str, marks: Mapping[str, Marks]) -> tuple[str, tuple[str, ...]]:
    """Write points into a column of a sheet that Moodle or Canvas exported; every other cell stays as it is.

    Args:
        sheet: the CSV text.
        column: its name, as the sheet's first line has it.
        marks: student → marks; ids as `take` makes them. Who has an exercise without a mark keeps what is there.

    Returns the CSV text, with a byte order mark, and the students that no line of the sheet is about.

    Raises UsageError ("sheet-column-unknown").
    """
    rows = list(csv.reader(io.StringIO(sheet.removeprefix("\ufeff"), newline="")))
    if not rows or column not in rows[0]:
        raise UsageError("sheet-column-unknown", column=column, columns=", ".join(rows[0]) if rows else "-")
    place = rows[0].index(column)
    by_id = {student.rpartition("_")[2]: item for student, item in marks.items()}
    told = set()
    for row in rows[1:]:
        found = next((by_id[number] for number in _numbers(row, place) if number in by_id), None)
        if found is not None:
            told.add(found.student)
            if not found.open and place < len(row):
                row[place] = f"{found.total:g}"
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue(), tuple(sorted(set(marks) - told))


def _numbers(row: list[str], place: int) -> Iterator[str]:
    """The numbers that may be the id of whom a line is about: Moodle writes "Participant 123" (or 参加者123)."""
    for index, cell in enumerate(row):
        if index != place:
            found = _ID.findall(cell)
            yield from found if len(found) == 1 else ()
