"""What proofs of the exercises came to, counted: kept in exercises/verified.json and shown on the site."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.paths import content_root, write_atomically
from grader.workflow.proof.verify import VerifyResult


def record_path() -> Path:
    """Tell where the record is kept."""
    return content_root() / "exercises" / "verified.json"


def count(results: Sequence[VerifyResult]) -> dict[str, Any]:
    """Count what was proved: attempts at each exercise by kind, and how many came out as expected.

    An attempt that was made on several clusters counts once, and as sound only where it was sound on all of them.
    """
    sound: dict[tuple[str, str, str], bool] = {}
    passed: set[tuple[str, str, str]] = set()
    for result in results:
        for attempt in result.attempts:
            key = (attempt.exercise, attempt.kind, attempt.name)
            sound[key] = sound.get(key, True) and attempt.sound
            if attempt.kind == "mutation" and attempt.got == "pass":
                passed.add(key)
    exercises: dict[str, Counter[str]] = {}
    for key, holds in sound.items():
        counter = exercises.setdefault(key[0], Counter())
        counter[key[1]] += 1
        counter[f"{key[1]}-sound"] += holds
        counter["mutation-passed"] += key in passed
    return {
        "clusters": sorted({result.cluster for result in results}),
        "exercises": {name: dict(sorted(counter.items())) for name, counter in sorted(exercises.items())},
    }


def write(results: Sequence[VerifyResult]) -> None:
    """Keep the record of these results. Raises OSError."""
    write_atomically(record_path(), json.dumps(count(results), indent=1) + "\n")


def stale(results: Sequence[VerifyResult]) -> tuple[str, ...]:
    """Say where the kept record differs from these results, one line an exercise; empty where it is as they are."""
    kept = json.loads(record_path().read_text(encoding="utf-8"))["exercises"]
    now = count(results)["exercises"]
    return tuple(
        f"{name}: {kept.get(name)} != {now.get(name)}"
        for name in sorted({*kept, *now})
        if kept.get(name) != now.get(name)
    )
