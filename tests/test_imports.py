"""The modules stand on one another: none needs itself through others, not even inside a function or for a type."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph("grader", cache_dir=None)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imported).prepare()  # its CycleError names the modules of a circle


def test_each_module_of_the_tests_has_one_name() -> None:
    folders = {path.parent for tree in ("tests", "examples", "tools") for path in (ROOT / tree).rglob("*.py")}
    folders.remove(ROOT / "tests" / "embedded" / "cases")  # what users run, not modules
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_nothing_changes_the_path_of_imports() -> None:
    changed = re.compile(r"sys\.path\b")
    trees = ("grader", "tests", "examples", "benchmarks", "tools", "site")
    files = (path for tree in trees for path in (ROOT / tree).rglob("*.py") if path != Path(__file__))
    assert [str(path) for path in files if changed.search(path.read_text(encoding="utf-8"))] == []
