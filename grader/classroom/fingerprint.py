"""What a verdict depends on, as a hash: where that is the same, an answer need not be graded again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from grader.classroom.submission import StudentAnswer
from grader.model.exercise import Exercise

DECIDING = ("exercise.yaml", "given.yaml", "starter.yaml")
"""The files of an exercise that a verdict depends on."""

JUDGING = ("causes", "criteria", "embedded/core", "judge", "model", "observe", "workflow")
CODE = (*(f"{package}/**/*.py" for package in JUDGING), "classroom/jobs.py")
"""The parts of this program that a verdict depends on."""


def fingerprint(exercise: Exercise, answer: StudentAnswer) -> str:
    """Hash all that a verdict depends on: the answer, its exercise, and how it is judged."""
    told = [code(), of_exercise(exercise), exercise.id, vars(answer)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def of_exercise(exercise: Exercise) -> str:
    """Hash an exercise, but for its prose and answers. Raises OSError."""
    return _digest([exercise.folder / name for name in DECIDING])


@cache
def code() -> str:
    """Hash the parts of this program that judge."""
    root = Path(__file__).parents[1]
    return _digest(sorted(path for part in CODE for path in root.glob(part)))


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
