"""Recorded outputs of a lesson's commands: what a real cluster printed, kept beside the course and shown on the site.

A record is keyed by the text of the cell, so an edited command loses its old output.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.lessons.formats import nbformat
from grader.lessons.source import Cell, Lesson
from grader.paths import write_atomically

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Outputs:
    """What the cells of one lesson printed.

    Attributes:
        cluster: provider, "kind".
        version: Kubernetes version, "v1.36.3".
        by_cell: key of a cell → what it printed.

    """

    cluster: str = ""
    version: str = ""
    by_cell: Mapping[str, str] = field(default_factory=dict)

    def of(self, cell: Cell) -> str:
        """Give what this cell printed, "" where nothing is recorded."""
        return self.by_cell.get(key(cell), "")


def key(cell: Cell) -> str:
    """Compute the key of a cell: a digest of what is executed."""
    return hashlib.sha256(cell.source.encode()).hexdigest()[:12]


def outputs_path(folder: Path, lesson: Lesson) -> Path:
    """Tell where the outputs of a lesson are recorded, under the folder of the lessons."""
    return folder / "outputs" / f"{lesson.slug}.json"


def read_outputs(folder: Path, lesson: Lesson) -> Outputs:
    """Read the recorded outputs, empty where none were recorded."""
    path = outputs_path(folder, lesson)
    if not path.is_file():
        return Outputs()
    data = json.loads(path.read_text(encoding="utf-8"))
    return Outputs(data["cluster"], data["version"], data["outputs"])


def write_outputs(folder: Path, lesson: Lesson, outputs: Outputs) -> None:
    """Record the outputs of a lesson, replacing what was there."""
    data = {"cluster": outputs.cluster, "version": outputs.version, "outputs": dict(outputs.by_cell)}
    write_atomically(outputs_path(folder, lesson), json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def collect(lesson: Lesson, executed: nbformat.NotebookNode, cluster: str, version: str) -> Outputs:
    """Collect what an executed notebook of this lesson printed; cards and other rich output are left out."""
    by_cell: dict[str, str] = {}
    for cell, ran in zip(lesson.cells, executed.cells, strict=True):
        if not cell.prints:
            continue
        text = "".join(output.text for output in ran.outputs if output.output_type == "stream")
        text = text.replace("\r\n", "\n")  # a `!` cell runs in a pseudo-terminal
        if text.strip():
            by_cell[key(cell)] = _ANSI.sub("", text).rstrip() + "\n"
    return Outputs(cluster, version, by_cell)
