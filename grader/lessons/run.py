"""Execute a notebook from top to bottom, unattended, as a learner's Jupyter would.

Stricter than a learner's own run: shell cells stop at the first command that fails, so that no broken command of a
lesson hides behind a later one that succeeds.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from grader.errors import ContentError
from grader.lessons.formats import nbformat

CELL_TIMEOUT = 240
ERROR_TAIL = 2000
CANONICAL = {"GRADER_LEARNER": ""}
"""The values that the lessons show, whoever runs them."""
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STRICT_SHELL = "set -e -o pipefail\n"


@dataclass(frozen=True)
class Executed:
    """A notebook that ran to its end.

    Attributes:
        notebook: the notebook with outputs.
        seconds: how long it took.

    """

    notebook: nbformat.NotebookNode
    seconds: float


def run_notebook(
    notebook: nbformat.NotebookNode, folder: Path, more: Mapping[str, str] = MappingProxyType({})
) -> Executed:
    """Execute every cell, in a kernel of this Python whose current folder is `folder`.

    Args:
        notebook: the notebook; it is not changed.
        folder: where its commands run.
        more: variables of the kernel's environment beside this process's own, such as GRADER_CLUSTER.

    Raises ContentError("lesson-cell-failed") with the cell's source and the end of its error where a cell fails.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from traitlets.config import Config

    copy = nbformat.from_dict(notebook)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        strict = Path(scratch, "strict.sh")
        strict.write_text(_STRICT_SHELL, encoding="utf-8")
        client = NotebookClient(
            copy,
            kernel_name="python3",
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # as in the course's JupyterLab
        )
        try:
            client.execute(env={**os.environ, **more, **CANONICAL, "BASH_ENV": str(strict)})
        except (CellExecutionError, CellTimeoutError) as error:
            reason = _ANSI.sub("", str(error))[-ERROR_TAIL:]
            raise ContentError(
                "lesson-cell-failed", lesson=notebook.metadata.get("title", ""), reason=reason
            ) from error
    return Executed(copy, time.monotonic() - started)
