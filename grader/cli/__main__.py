"""`python -m grader.cli`: the command where no script is installed."""

from __future__ import annotations

from grader.cli import main

main()
