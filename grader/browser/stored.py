"""Exercises as the site carries them: read and validated when it is built, so that a page needs no pydantic.

An exercise is frozen dataclasses, text and numbers; pickle (protocol 5) writes them as they are, and whoever carries
the files carries the code that reads them too. The wrong answers stay at home: nothing in a page asks for them.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

from grader.errors import unknown_exercise
from grader.model.exercise import Exercise

FOLDER = "exercises"  # beside this file, where the site has laid it
ENDING = ".pickle"
PROTOCOL = 5


def write(exercise: Exercise, folder: Path) -> None:
    """Store an exercise, without the folder it was read from. Raises OSError."""
    plain = replace(exercise, folder=Path(), wrong=())
    (folder / f"{exercise.id}{ENDING}").write_bytes(pickle.dumps(plain, protocol=PROTOCOL))


def read(name: str, folder: Path) -> Exercise:
    """Read a stored exercise. Raises UsageError, with the nearest name, for one that is not there."""
    known = sorted(path.stem for path in folder.glob(f"*{ENDING}"))
    if name not in known:
        raise unknown_exercise(name, known)
    found: Exercise = pickle.loads((folder / f"{name}{ENDING}").read_bytes())
    return found
