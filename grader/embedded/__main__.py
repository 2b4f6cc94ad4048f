"""The process of one embedded cluster: `python -m grader.embedded --name NAME --state FOLDER`."""

from __future__ import annotations

import sys

from grader.embedded.server.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
