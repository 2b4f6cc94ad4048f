"""Interactive tutorial and exercise grader for Kubernetes Services.

The package root stays light: importing it must not import the Kubernetes client, Jupyter or nbgrader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Take part in a notebook: what `%load_ext grader` calls."""
    from grader.notebook.extension import load

    load(shell)


def know_the_course(shell: InteractiveShell) -> None:
    """Give a kernel the course's names from its start, without a word: what the kernel of `grader lab` calls."""
    from grader.notebook.extension import know

    know(shell)
