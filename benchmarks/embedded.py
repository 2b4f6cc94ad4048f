"""Cold start and memory of the embedded cluster."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import psutil

from benchmarks.row import Row
from grader.cluster import choose
from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import silent


@contextlib.contextmanager
def cluster(name: str) -> Iterator[ClusterInfo]:
    provider = choose.provider(Provider.EMBEDDED)
    try:
        yield provider.up(name, {}, silent)
    finally:
        provider.down(name, silent)


def measure(runs: int) -> list[Row]:
    starts: list[float] = []
    memory: list[float] = []
    for run in range(runs):
        began = time.perf_counter()
        with cluster(f"bench-{os.getpid()}-{run}") as info:
            starts.append(time.perf_counter() - began)
            memory.append(psutil.Process(info.pid).memory_info().rss / 1e6)
    return [
        Row("embedded: up, first start (certificates, process, ready)", "s", tuple(starts)),
        Row("embedded: resident memory when ready", "MB", tuple(memory)),
    ]
