"""Japanese message catalogues, one YAML file each under `ja/`: what (何が), where (どこで), next (次に).

Logic names a message by catalogue and code and hands over facts; sentences live only in the catalogues.
"""

from __future__ import annotations

import json
import shlex
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).with_name("ja")  # importlib.resources would cost the command line a tenth of its start


@dataclass(frozen=True)
class Message:
    """One message to a person.

    Attributes:
        what: what happened (何が).
        where: where it was seen, with the evidence (どこで).
        next: what to do or look at next (次に).
    """

    what: str
    where: str
    next: str

    def __str__(self) -> str:
        """The three parts as labelled lines, for a terminal without styling."""
        return f"何が  {self.what}\nどこで {self.where}\n次に  {self.next}"


@cache
def catalogue(name: str) -> Mapping[str, Mapping[str, str]]:
    """Read `ja/<name>.yaml`: code → {what, where, next}. Raises FileNotFoundError for an unknown catalogue."""
    found: Mapping[str, Mapping[str, str]] = _table(name)
    return found


@cache
def labels() -> Mapping[str, str]:
    """Short words of the user interface (`ja/labels.yaml`): code → word."""
    found: Mapping[str, str] = _table("labels")
    return found


def _table(name: str) -> Any:
    """Read a file of words; where the site is built they are made JSON, which a page reads a hundred times as fast."""
    ready = _FOLDER / f"{name}.json"
    if ready.is_file():
        return json.loads(ready.read_text(encoding="utf-8"))
    text = _FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}


def placeholders(template: str) -> frozenset[str]:
    """The fact names that a template asks for."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name)


class _Formatter(string.Formatter):
    """Fills templates; `{file!q}` quotes a value for a POSIX shell, where it is part of a command."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return shlex.quote(str(value)) if conversion == "q" else super().convert_field(value, conversion)


_FORMATTER = _Formatter()


def message(name: str, code: str, facts: Mapping[str, str]) -> Message:
    """Fill the message `code` of a catalogue with facts. Raises KeyError for an unknown code or a missing fact."""
    entry = catalogue(name)[code]
    return Message(*(_FORMATTER.vformat(entry[part], (), facts).strip() for part in ("what", "where", "next")))
