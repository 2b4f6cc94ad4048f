"""Exercises as the site carries them: read and validated when it is built, so that a page needs no pydantic.

An exercise is frozen dataclasses, text and numbers; pickle (protocol 5) writes them as they are, and whoever carries
the files carries the code that reads them too. The wrong answers stay at home: nothing in a page asks for them.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from grader.errors import UsageError
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
        facts = {"exercise": name, "known": ", ".join(known)}
        if near := get_close_matches(name, known, n=1, cutoff=0.4):
            raise UsageError("exercise-unknown-near", near=near[0], **facts)
        raise UsageError("exercise-unknown", **facts)
    found: Exercise = pickle.loads((folder / f"{name}{ENDING}").read_bytes())
    return found
