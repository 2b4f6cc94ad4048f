"""nbformat, imported in a seventh of its time: `from grader.lessons.formats import nbformat`, before others of Jupyter.

It imports jsonschema, and jsonschema 4.26 (`_format.py`) rfc3987_syntax, where that is installed, whose import compiles
38 grammars: more than 3 s of a processor in each kernel, each JupyterLab and each call of nbgrader. They check the
formats `iri` and `iri-reference` alone, which no schema of nbformat, JupyterLab or nbgrader names; without them
jsonschema checks those two formats as it checks one that it does not know: not at all.
"""

from __future__ import annotations

import sys
from typing import Any, cast

_GRAMMARS = "rfc3987_syntax"

if "jsonschema" not in sys.modules and _GRAMMARS not in sys.modules:
    cast("dict[str, Any]", sys.modules)[_GRAMMARS] = None  # its import raises ImportError (importlib)
    try:
        import nbformat
    finally:
        del sys.modules[_GRAMMARS]
else:
    import nbformat

__all__ = ["nbformat"]
