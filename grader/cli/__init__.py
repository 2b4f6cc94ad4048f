"""The command `grader`. Commands are imported when they are called, so that `grader --help` answers at once."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and leave it with an exit status."""
    from grader.cli.root import root

    root()
