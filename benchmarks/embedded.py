"""Cold start and memory of the embedded cluster."""

from __future__ import annotations

import os
import time

import psutil

from benchmarks.row import Row
from grader.cluster import choose


def measure(runs: int) -> list[Row]:
    starts: list[float] = []
    memory: list[float] = []
    for run in range(runs):
        began = time.perf_counter()
        with choose.temporary(f"bench-{os.getpid()}-{run}") as info:
            starts.append(time.perf_counter() - began)
            memory.append(psutil.Process(info.pid).memory_info().rss / 1e6)
    return [
        Row("embedded: up, first start (certificates, process, ready)", "s", tuple(starts)),
        Row("embedded: resident memory when ready", "MB", tuple(memory)),
    ]
