"""The Japanese words of notebooks and pages, from `grader/text/ja/lessons.yaml`."""

from __future__ import annotations

from grader.text import catalogue


def word(code: str, **facts: object) -> str:
    """Fill in one word or sentence of the catalogue. Raises KeyError for an unknown code or missing fact."""
    text = catalogue("lessons")[code]
    return str(text).format_map({key: str(value) for key, value in facts.items()})
