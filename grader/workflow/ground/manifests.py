"""Read a learner's YAML as Kubernetes objects, safely: bounded in size, no surprises from YAML, errors with a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from grader.errors import ManifestError
from grader.text import catalogue

MOST_BYTES = 512 * 1024
MOST_NODES = 20_000
MOST_DEPTH = 100
MOST_DOCUMENTS = 100


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that leaves dates as text, as JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """One object of a text.

    Attributes:
        line: line where its document begins, from 1.
        content: what the document holds; an object is a mapping.
    """

    line: int
    content: Any


def read_documents(text: str) -> tuple[Document, ...]:
    """Read every object of a YAML (or JSON) text; the items of a List are objects of their own.

    Raises ManifestError "manifest-unreadable" (facts line, column, reason) or "manifest-empty".
    """
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise _unreadable(1, 1, "too-large")
    found: list[Document] = []
    try:
        _shallow(text)
        for node in yaml.compose_all(text, Loader=_Loader):
            _bounded(node)
            line = node.start_mark.line + 1
            content = _construct(node)
            if content is not None:
                found.extend(Document(line, item) for item in _items(content))
            if len(found) > MOST_DOCUMENTS:
                raise _unreadable(line, 1, "too-large")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _unreadable(line, column, error.problem or str(error)) from error
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        raise _unreadable(1, 1, str(error).splitlines()[0] if str(error) else "too-deep") from error
    if not found:
        raise ManifestError("manifest-empty", line=1, column=1, reason="-")
    return tuple(found)


def _items(content: Any) -> Iterator[Any]:
    if isinstance(content, Mapping) and str(content.get("kind", "")).endswith("List") and "items" in content:
        items = content["items"]
        yield from items if isinstance(items, list) else [content]
    else:
        yield content


def _construct(node: yaml.Node) -> Any:
    loader = _Loader("")
    try:
        content = loader.construct_document(node)
        json.dumps(content)  # what JSON cannot say, the API server cannot be told
    except TypeError as error:
        raise ValueError(str(error)) from error
    finally:
        loader.dispose()
    return content


def _shallow(text: str) -> None:
    """Refuse deep nesting before nodes are made of it, which libyaml's composer does by recursion: it ends the process.

    Raises ManifestError, yaml.YAMLError.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                mark = event.start_mark or yaml.Mark("", 0, 0, 0, None, 0)
                raise _unreadable(mark.line + 1, mark.column + 1, "too-deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _bounded(root: yaml.Node) -> None:
    """Refuse aliases that grow without bound, deep nesting, and a key given twice. Raises ManifestError."""
    count = 0
    stack: list[tuple[yaml.Node, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        count += 1
        mark = node.start_mark
        if count > MOST_NODES or depth > MOST_DEPTH:  # by aliases, which `_shallow` does not follow
            raise _unreadable(mark.line + 1, mark.column + 1, "too-deep")
        if isinstance(node, yaml.SequenceNode):
            stack.extend((item, depth + 1) for item in node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                        where = key.start_mark
                        raise _unreadable(where.line + 1, where.column + 1, "duplicate-key", key=key.value)
                    seen.add(key.value)
                stack.append((key, depth + 1))
                stack.append((value, depth + 1))


def _unreadable(line: int, column: int, problem: str, **facts: str) -> ManifestError:
    """Build the error; the reader's English is replaced by the catalogue's words where it has them."""
    words = catalogue("words")["yaml"]
    known = next((text for start, text in words.items() if problem.startswith(start)), None)
    reason = known.format_map(facts) if known else problem
    return ManifestError("manifest-unreadable", line=line, column=column, reason=reason)
