"""Build what runs the course in a page: Python as WebAssembly, the course's code and exercises, a few scripts.

Usage: python site/browser/build.py TARGET_FOLDER
What was built is kept in `build/browser` and built again only where what it is made of has changed. Needs npm: where
there is none, site/build.sh brings it.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import yaml

from grader.browser import stored
from grader.exercises import all_exercises

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / "build" / "browser"
MODULES = CACHE / "node_modules"
LIBRARIES = ("h11", "jinja2", "jsonpatch", "jsonpointer", "markupsafe", "yaml")
CELLS = (
    "__init__.py",
    "_extension.py",
    "cells.py",
    "_unicode_data/__init__.py",
    "_unicode_data/_versions.py",
)  # of rich
LICENSED = (*LIBRARIES[:-1], "pyyaml", "rich")
NOTICE = """\
Pyodide {version}, Mozilla Public License 2.0; its source: https://github.com/pyodide/pyodide/tree/{version}
It holds CPython, Python Software Foundation License Version 2: https://docs.python.org/3/license.html
"""
ABSENT = (  # what no page asks for
    "browser/exercises", "classroom", "cli", "cluster/kind", "embedded/server", "embedded/testing.py", "exercises",
    "lessons", "notebook", "workflow/proof", "workflow/session/jupyter",
)  # fmt: skip
STORED = ("pyodide.asm.mjs", "pyodide.asm.wasm")
UNUSED = (  # of Python's own library, by the first part of a path
    "_pydecimal.py", "_pyio.py", "_pyrepl", "concurrent/interpreters", "ctypes", "doctest.py", "idlelib", "imaplib.py",
    "lib2to3", "mailbox.py", "optparse.py", "pdb.py", "profiling", "pydoc.py", "pydoc_data", "smtplib.py", "sqlite3",
    "tarfile.py", "test", "tkinter", "tomllib", "turtle.py", "unittest", "venv", "wsgiref", "xmlrpc",
)  # fmt: skip


def main(target: Path) -> None:
    """Write everything into a folder. Raises SystemExit where a tool fails."""
    CACHE.mkdir(parents=True, exist_ok=True)
    modules()
    target.mkdir(parents=True, exist_ok=True)
    run(str(MODULES / ".bin" / "tsc"), "--project", str(CACHE), "--outDir", str(target))
    shutil.copy(MODULES / "pyodide" / "pyodide.mjs", target)
    (target / "LICENSES.txt").write_text(licences(), encoding="utf-8")
    files = {name: (MODULES / "pyodide" / name).read_bytes() for name in STORED}
    files["lock.json"] = json.dumps(lock()).encode()
    files["python_stdlib.zip"] = standard_library().read_bytes()
    files["course.zip"] = code().read_bytes()
    manifest = {name: put(target, name, content) for name, content in files.items()}
    data = {"bytes": sum(int(item["bytes"]) for item in manifest.values()), "files": manifest}
    (target / "manifest.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def run(*command: str, folder: Path = CACHE) -> None:
    """Run a tool. Raises SystemExit where it fails."""
    if status := subprocess.run(command, cwd=folder, check=False).returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")


def modules() -> None:
    """Install what package-lock.json pins, where that is not there yet; lay the scripts beside it."""
    for path in HERE.iterdir():
        if path.suffix in (".json", ".mjs", ".ts"):
            shutil.copy(path, CACHE)
    stamp = CACHE / "installed"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        run("npm", "ci", "--silent", "--no-fund", "--no-audit")
        stamp.write_text(wanted)


def lock() -> dict[str, object]:
    """What Pyodide asks of its list of packages: which Python it is, and that there are none."""
    known = json.loads((MODULES / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
    return {"info": known["info"], "packages": {}}


def put(target: Path, name: str, content: bytes) -> dict[str, object]:
    """Store a file compressed, under a name that holds its hash; hosts that know no ending leave it as it is."""
    digest = hashlib.sha256(content).hexdigest()
    packed = CACHE / "packed" / digest
    if not packed.is_file():
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(gzip.compress(content, 9, mtime=0))
    path = f"{name}-{digest[:16]}.bin"
    shutil.copy(packed, target / path)
    return {"path": path, "bytes": packed.stat().st_size}


def code() -> Path:
    """Compile the course's code, exercises and libraries, where they have changed; return the zip."""
    tree = CACHE / "course"
    shutil.rmtree(tree, ignore_errors=True)
    for path, content in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    exercises = tree / "grader" / "browser" / stored.FOLDER
    exercises.mkdir(parents=True)
    for exercise in all_exercises():
        stored.write(exercise, exercises)
    return compiled(tree)


def standard_library() -> Path:
    """Compile Python's own library, which Pyodide brings as source: that is read anew at each start; return the zip."""
    tree = CACHE / "library"
    shutil.rmtree(tree, ignore_errors=True)
    with zipfile.ZipFile(MODULES / "pyodide" / "python_stdlib.zip") as packed:
        packed.extractall(tree, [name for name in packed.namelist() if not below(name, UNUSED)])
    return compiled(tree)


def below(name: str, parts: Iterable[str]) -> bool:
    """Whether a path is one of these, or in one of them."""
    return any(f"{name}/".startswith(f"{part}/") for part in parts)


def compiled(tree: Path) -> Path:
    """Compile a folder, where it has changed; return the zip."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes() + (HERE / "compile.mjs").read_bytes())
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(tree)}\0".encode() + path.read_bytes() + b"\0")
    built = CACHE / f"{tree.name}-{digest.hexdigest()}.zip"
    if not built.is_file():
        for old in CACHE.glob(f"{tree.name}-*.zip"):
            old.unlink()
        run("node", "compile.mjs", str(tree), str(built))
    return built


def sources() -> Iterator[tuple[str, bytes]]:
    """Yield every file that goes into the zip, but for the exercises: its path there, and what it holds."""
    grader = ROOT / "grader"
    for path in sorted(grader.rglob("*")):
        name = path.relative_to(grader).as_posix()
        if not path.is_file() or "__pycache__" in name or below(name, ABSENT):
            continue
        if path.parent == grader / "text" / "ja":
            words = yaml.safe_load(path.read_text(encoding="utf-8"))
            yield f"grader/{path.relative_to(grader).with_suffix('.json')}", json.dumps(words).encode()
        elif path.suffix in (".py", ".gz", ".css", ".j2"):
            yield f"grader/{name}", path.read_bytes()
    for library in LIBRARIES:
        place = Path(str(importlib.import_module(library).__file__))
        if place.name == "__init__.py":
            for path in sorted(place.parent.rglob("*.py")):
                yield f"{library}/{path.relative_to(place.parent).as_posix()}", path.read_bytes()
        else:
            yield place.name, place.read_bytes()
    rich = Path(str(importlib.import_module("rich").__file__)).parent
    newest = sorted(
        (rich / "_unicode_data").glob("unicode*.py"), key=lambda path: [*map(int, path.stem[7:].split("-"))]
    )
    for path in (*(rich / name for name in CELLS), newest[-1]):
        yield f"rich/{path.relative_to(rich).as_posix()}", path.read_bytes()


def licences() -> str:
    """Name what the site carries that others wrote, and under which licences."""
    version = json.loads((MODULES / "pyodide" / "package.json").read_text(encoding="utf-8"))["version"]
    parts = [NOTICE.format(version=version)]
    for name in LICENSED:
        known = distribution(name)
        for file in known.files or ():
            if "dist-info/licenses/" in str(file) or file.name in ("LICENSE", "LICENSE.txt"):
                text = Path(str(file.locate())).read_text(encoding="utf-8")
                parts.append(f"{name} {known.version}\n\n{text.strip()}\n")
    return f"\n{'-' * 80}\n\n".join(parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
