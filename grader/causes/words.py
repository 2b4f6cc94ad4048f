"""Words and lists for a person, from the catalogue `words`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from grader.text import catalogue


def word(group: str, code: str) -> str:
    """Look up a word for a person in the catalogue `words`."""
    return catalogue("words")[group].get(code, code)


def vantage_text(vantage: str) -> str:
    """Name a vantage for a person; "node/NAME" is the probe on that node."""
    kind, _, node = vantage.partition("/")
    return word("vantage", kind).format(node=node)


def listed(items: Iterable[object]) -> str:
    """Join things for a person; a word for none where there are none."""
    return ", ".join(str(item) for item in items) or word("plain", "none")


def aspect_text(*parts: str) -> str:
    """Join what tells a criterion apart from others on the same object; empty parts are left out."""
    return ", ".join(filter(None, parts))


def port_number_text(port: int) -> str:
    """Name a port for a person."""
    return word("aspect", "port").format(port=port)


def label_text(labels: Mapping[str, str]) -> str:
    """Write labels or a selector as `kubectl` does."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or word("plain", "none")


def port_text(port: Mapping[str, Any]) -> str:
    """Write a Service port as `kubectl get svc` does: "80/TCP"."""
    return f"{port.get('port')}/{port.get('protocol', 'TCP')}"


def text(value: object) -> str:
    """Write a value of a field, several as YAML on one line; a word for none where it is missing."""
    if isinstance(value, Mapping | list):
        return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).strip()
    return word("plain", "none") if value is None else str(value)
