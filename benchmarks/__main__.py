"""Measure and print a table: `python -m benchmarks [embedded] [verdicts] [--cluster NAME] [--runs N]`.

embedded   cold start of the embedded cluster (process start to /readyz), and its memory
verdicts   from `kubectl apply` of a right and of a wrong answer to the verdict, on a cluster that is up (`--cluster`),
           and a check of what has long converged, with the grader's own CPU time
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import embedded, verdicts
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
    chosen = parser.parse_args(arguments)
    if "embedded" in chosen.what:
        show(embedded.measure(chosen.runs))
    if "verdicts" in chosen.what:
        show(verdicts.measure(chosen.cluster, chosen.runs))


if __name__ == "__main__":
    main(sys.argv[1:])
