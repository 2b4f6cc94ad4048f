"""Record what a cluster answers to the scripts of tests/parity/scripts.

    python -m tools.record_transcripts [--to FOLDER] [SCRIPT]...

Uses the current cluster (GRADER_CLUSTER). A real one writes tests/parity/recorded, which the embedded cluster is
compared with; `--to` writes elsewhere, to look at.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.cluster import info
from grader.cluster.info import Provider
from grader.kube import kubectl
from tests.parity.transcript import FOLDER, Runner, scripts


def main() -> int:
    """Record; exit status 1 where a script could not be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SCRIPT")
    parser.add_argument("--to", type=Path, default=FOLDER / "recorded")
    options = parser.parse_args()
    cluster = info.load()
    if cluster.provider is not Provider.KIND and options.to == FOLDER / "recorded":
        print("only a real cluster is recorded", file=sys.stderr)
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    for script in scripts():
        if options.names and script.name not in options.names:
            continue
        runner = Runner(script, kubectl.environment(cluster.kubeconfig))
        runner.begin()
        try:
            text = runner.record()
        finally:
            runner.end()
        (options.to / f"{script.name}.txt").write_text(f"# Kubernetes {cluster.version}\n\n{text}", encoding="utf-8")
        print(f"{script.name}: {len(script.steps)} steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
