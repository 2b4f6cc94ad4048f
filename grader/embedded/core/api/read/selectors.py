"""Label and field selectors of list and watch requests.

Grammar: k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go (1.36).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from grader.embedded.core.api.http.status import bad_request
from grader.embedded.core.store import Obj

Match = Callable[[Obj], bool]

FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "services": ("spec.clusterIP", "spec.type"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "replicasets": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
    "jobs": ("status.successful",),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
}  # fmt: skip
"""Fields that may select, beside metadata.name and metadata.namespace (pkg/registry/*/strategy.go)."""

_SET = re.compile(r"^\s*(!?)\s*([^\s=!<>,()]+)\s*(?:(in|notin)\s*\(([^)]*)\))?\s*$")
_EQUAL = re.compile(r"^\s*([^\s=!<>,()]+)\s*(==|=|!=)\s*([^\s=!<>,()]*)\s*$")
_COMPARE = re.compile(r"^\s*([^\s=!<>,()]+)\s*(>|<)\s*(\d+)\s*$")


def _parts(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


def label_selector(text: str) -> Callable[[dict[str, str]], bool]:
    """The test that a labelSelector makes on labels. Raises ApiError (400)."""
    tests: list[Callable[[dict[str, str]], bool]] = []
    for part in _parts(text) if text.strip() else ():
        tests.append(_requirement(part))
    return lambda labels: all(test(labels) for test in tests)


def _requirement(part: str) -> Callable[[dict[str, str]], bool]:
    if match := _EQUAL.match(part):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _COMPARE.match(part):
        key, operator, limit = match[1], match[2], int(match[3])

        def compare(labels: dict[str, str]) -> bool:
            text = labels.get(key, "")
            return text.isdigit() and (int(text) > limit if operator == ">" else int(text) < limit)

        return compare
    if match := _SET.match(part):
        negated, key, operator, listed = match.groups()
        if operator:
            values = {value.strip() for value in listed.split(",")}
            wanted = operator == "in"
            return lambda labels: (key in labels and labels[key] in values) if wanted else labels.get(key) not in values
        return lambda labels: (key in labels) != bool(negated)
    found = re.sub(r"^\s*!?\s*[^\s=!<>,()]*\s*(==|!=|=|>|<)?", "", part).strip()
    raise bad_request(f"unable to parse requirement: found '{found[:1]}', expected: identifier")


def _field(obj: Obj, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    node: Any = obj
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    if isinstance(node, bool):
        return "true" if node else "false"
    if node is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(node)


def field_selector(text: str, resource: str) -> Match:
    """The test that a fieldSelector makes on objects of a resource. Raises ApiError (400)."""
    tests: list[tuple[str, bool, str]] = []
    for part in text.split(",") if text.strip() else ():
        match = re.match(r"^([^=!]+)(==|!=|=)(.*)$", part)
        if not match:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path, operator, value = match[1].strip(), match[2], match[3]
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(resource, ())):
            raise bad_request(f"field label not supported: {path}")
        tests.append((path, operator != "!=", value))
    return lambda obj: all((_field(obj, path) == value) == wanted for path, wanted, value in tests)


def matcher(label_text: str, field_text: str, resource: str) -> Match:
    """Both selectors together. Raises ApiError (400)."""
    by_labels, by_fields = label_selector(label_text), field_selector(field_text, resource)
    return lambda obj: by_labels(obj["metadata"].get("labels") or {}) and by_fields(obj)
