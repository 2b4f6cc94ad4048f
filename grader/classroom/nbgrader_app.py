"""`python -m grader.classroom.nbgrader_app`: nbgrader's command line, which starts without jsonschema's grammars."""

from __future__ import annotations

from grader.lessons import formats  # noqa: F401  before what imports jsonschema

# isort: split
from nbgrader.apps.nbgraderapp import main

if __name__ == "__main__":
    main()
