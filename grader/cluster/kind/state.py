"""What a kind cluster's folder remembers between two commands, so that one that was cut short can be finished."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.cluster.provider import Progress
from grader.paths import write_atomically

CREATING = "creating"
CREATED = "created"


@dataclass(frozen=True)
class KindState:
    """How far a kind cluster has come.

    Attributes:
        phase: "" where nothing was begun, "creating" until kind has finished, then "created".
        pid: process id of the kind that creates, 0 where it has not begun or has finished.
        network_made: the `kind` network did not exist before, so it goes with the cluster.
        images_taken: images that the machine has were copied into the nodes.
    """

    phase: str = ""
    pid: int = 0
    network_made: bool = False
    images_taken: bool = False

    def save(self, place: Path) -> None:
        """Write it into the cluster's folder, atomically."""
        write_atomically(place / "kind.json", json.dumps(asdict(self)), mode=0o600)


def load(place: Path) -> KindState:
    """Read it from the cluster's folder; nothing readable there means that nothing was begun."""
    try:
        return KindState(**json.loads((place / "kind.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return KindState()


LOCK = "kind.lock"
"""Not the embedded cluster's `lock`: whoever holds that one is a cluster that runs (cluster/embedded.py)."""


@contextmanager
def locked(place: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold the cluster's lock: two commands never work on one cluster at once. The kernel drops it with the process."""
    while True:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = place / LOCK
        with open(path, "a", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("cluster-locked", {"name": name})
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Whoever held it may have removed the folder, and with it this lock.
            if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                yield
                return
