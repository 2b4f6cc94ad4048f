"""Measure and print a table: `python -m benchmarks [WHAT]... [--cluster NAME] [--runs N] [--seconds N]`.

embedded   cold start of the embedded cluster (process start to /readyz), and its memory
verdicts   from `kubectl apply` of a right and of a wrong answer to the verdict, on a cluster that is up (`--cluster`),
           and a check of what has long converged, with the grader's own CPU time
scale      endpoint updates by the number of Services, memory and apply with many objects, a hundred clients (--seconds)
apiserver  cold start of kube-apiserver with etcd, to read the embedded cluster's beside it (KUBE_BIN: their folder)
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import apiserver, embedded, scale, verdicts
from benchmarks.row import Row


def show(rows: Sequence[Row]) -> None:
    table = Table("figure", "unit", "min", "median", "max", "runs")
    for row in rows:
        low, middle, high = min(row.values), statistics.median(row.values), max(row.values)
        table.add_row(row.name, row.unit, f"{low:.3f}", f"{middle:.3f}", f"{high:.3f}", str(len(row.values)))
    Console().print(table)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", default=["embedded", "verdicts"])
    parser.add_argument("--cluster", default="", help="a cluster that is up; default: an embedded one")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a hundred clients are at work")
    chosen = parser.parse_args(arguments)
    if "embedded" in chosen.what:
        show(embedded.measure(chosen.runs))
    if "verdicts" in chosen.what:
        show(verdicts.measure(chosen.cluster, chosen.runs))
    if "scale" in chosen.what:
        show(scale.measure(chosen.runs, chosen.seconds))
    if "apiserver" in chosen.what:
        if lacking := apiserver.missing(apiserver.FOLDER):
            sys.exit(f"apiserver is not measured: {lacking} not found (KUBE_BIN names their folder)")
        show(apiserver.measure(apiserver.FOLDER, min(chosen.runs, 3)))


if __name__ == "__main__":
    main(sys.argv[1:])
