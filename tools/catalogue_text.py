"""Write the Japanese of the YAML catalogues and exercise titles as Markdown, so that the text lint reads it too.

Usage: python -m tools.catalogue_text TARGET_FOLDER
One file a catalogue; each text under a heading that names its key, so that a finding leads back to it. What is no
sentence (a label, a title) becomes a heading itself: the rules of words hold for it, those of sentences do not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SENTENCE_END = ("。", "？", "！")
JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def main(target: Path) -> None:
    """Write one Markdown file a catalogue into `target`. Raises OSError where it cannot be written."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "grader" / "text" / "ja").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        parts = [f"# {path.stem}\n"]
        for key, text in _texts(data):
            filled = PLACEHOLDER.sub("`x`", text)
            shown = filled if text.endswith(SENTENCE_END) else f"### {' '.join(filled.split())}"
            parts.append(f"## `{key}`\n\n{shown}\n")
        (target / f"{path.stem}.md").write_text("\n".join(parts), encoding="utf-8")


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and text of every value that holds Japanese."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, f"{key}.{name}".strip("."))
    elif isinstance(value, str) and JAPANESE.search(value):
        yield key, value.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
