"""What a file of manifests says of itself in the comments at its head, for whoever grades it elsewhere.

`# learner: ID` tells whose values an exercise has. What `grader submit` writes also tells what no manifest can: which
given objects were deleted, whose Pods were started again, which Pod an address belongs to, and how the ground differed
from what was laid. Such a file may be hostile, so nothing is taken from it but what has exactly this form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from grader.model.ground import Change, Given
from grader.workflow.ground.learner import FORM

MOST_LINES = 200
LONGEST_VALUE = 200
_GROUND = re.compile(r"# ground: (\{.{1,8000}\})")  # two values, each character escaped
_LINE = re.compile(r"# (learner|deleted|restarted|outdated|address): (\S+)(?: (\S+))?")
_NAMESPACE, _KIND, _NAME = "[a-z0-9][-a-z0-9]{0,62}", "[A-Z][A-Za-z]{0,62}", "[a-z0-9][-.a-z0-9]{0,252}"
_REFERENCE = re.compile(f"({_NAMESPACE})/({_KIND})/({_NAME})(?:/(0|[1-9][0-9]{{0,2}}))?")
_KIND_ONLY = re.compile(_KIND)
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


@dataclass(frozen=True, order=True)
class Reference:
    """One object; or one of its Pods.

    Attributes:
        namespace: its Namespace.
        kind: its kind.
        name: its name.
        pod: which of a workload's Pods, by name, from 0; None for the object itself.
    """

    namespace: str
    kind: str
    name: str
    pod: int | None = None

    def __str__(self) -> str:
        own = f"{self.namespace}/{self.kind}/{self.name}"
        return own if self.pod is None else f"{own}/{self.pod}"


@dataclass(frozen=True)
class Head:
    """What stands at the head of a file.

    Attributes:
        learner: id of the learner, "" where none is told.
        deleted: given objects that the learner deleted.
        restarted: workloads, or single Pods of them, that were started after the Service that they know.
        outdated: single Pods that know a Service as it was before it was made again.
        addresses: address of a Pod in the learner's cluster → the Pod.
        ground: how the ground differed from what was laid; values as text.
    """

    learner: str = ""
    deleted: tuple[Reference, ...] = ()
    restarted: tuple[Reference, ...] = ()
    outdated: tuple[Reference, ...] = ()
    addresses: Mapping[str, Reference] = field(default_factory=dict)
    ground: tuple[Change, ...] = ()

    def __str__(self) -> str:
        lines = [f"# learner: {self.learner}"] if self.learner else []
        lines += [f"# deleted: {item}" for item in self.deleted]
        lines += [f"# restarted: {item}" for item in self.restarted]
        lines += [f"# outdated: {item}" for item in self.outdated]
        lines += [f"# address: {address} {pod}" for address, pod in self.addresses.items()]
        lines += [f"# ground: {json.dumps(asdict(_short(item)))}" for item in self.ground]  # in ASCII it is one line
        return "".join(f"{line}\n" for line in lines)


def read(text: str) -> Head:
    """Read the head of a file: the comment lines before anything else. Never raises."""
    learner = ""
    listed: dict[str, list[Reference]] = {"deleted": [], "restarted": [], "outdated": []}
    addresses: dict[str, Reference] = {}
    ground: list[Change] = []
    for line in text.splitlines()[:MOST_LINES]:
        if line.strip() and not line.startswith("#"):
            break
        if told := _GROUND.fullmatch(line.rstrip()):
            ground += filter(None, (_change(told[1]),))
            continue
        match = _LINE.fullmatch(line.rstrip())
        if not match:
            continue
        key, first, second = match.groups()
        if key == "learner" and second is None and FORM.fullmatch(first):
            learner = learner or first
        elif key == "address" and second and _ADDRESS.fullmatch(first) and (pod := reference(second)):
            addresses[first] = pod
        elif key in listed and second is None and (item := reference(first)):
            listed[key].append(item)
    return Head(
        learner, **{key: tuple(items) for key, items in listed.items()}, addresses=addresses, ground=tuple(ground)
    )


def _short(change: Change) -> Change:
    """Write the values of a change as text of a bounded length."""
    return Change(change.what, change.field, _value(change.before), _value(change.after))


def _value(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _change(text: str) -> Change | None:
    """Read a change, None where the text is none."""
    try:
        data = json.loads(text)
        what = Given(**data.pop("what"))
        change = Change(what, **data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    known = _KIND_ONLY.fullmatch(what.kind) if isinstance(what.kind, str) else None
    words = [what.namespace, what.name, change.field]
    words += [item for item in (change.before, change.after) if item is not None]
    right = known and all(isinstance(item, str) and len(item) <= 2 * LONGEST_VALUE for item in words)
    return change if right else None


def reference(text: str) -> Reference | None:
    """Read a reference, None where it is none."""
    match = _REFERENCE.fullmatch(text)
    if not match:
        return None
    return Reference(match[1], match[2], match[3], int(match[4]) if match[4] else None)
