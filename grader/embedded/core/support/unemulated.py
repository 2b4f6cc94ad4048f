"""Which fields, labels and annotations of an object would have an effect in a real cluster, and have none here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from grader.embedded.core.api.schema import types as schema
from grader.embedded.core.support.fields import FIELDS
from grader.embedded.core.support.keys import ANNOTATIONS, LABELS
from grader.embedded.core.support.states import Look, Warned

KINDS: Mapping[str, str] = {
    "Pod": "core.v1.Pod",
    "Service": "core.v1.Service",
    "Deployment": "apps.v1.Deployment",
    "ReplicaSet": "apps.v1.ReplicaSet",
    "DaemonSet": "apps.v1.DaemonSet",
    "StatefulSet": "apps.v1.StatefulSet",
    "Job": "batch.v1.Job",
    "CronJob": "batch.v1.CronJob",
    "ReplicationController": "core.v1.ReplicationController",
    "EndpointSlice": "discovery.v1.EndpointSlice",
}
"""Kinds whose objects may hold such fields, with the definitions of their types."""


def unemulated(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """List what of an object has no effect here, in order.

    Fields are paths ("spec.containers[0].stdinOnce"), keys stand in brackets ("metadata.labels[KEY]").
    """
    found = list(_keys(obj.get("metadata") or {}))
    if definition := KINDS.get(str(obj.get("kind"))):
        found += _walk(obj, _fields(f"io.k8s.api.{definition}"), "")
    return tuple(found)


def _keys(metadata: Mapping[str, Any]) -> Iterator[str]:
    for field, states in (("labels", LABELS), ("annotations", ANNOTATIONS)):
        for key, value in (metadata.get(field) or {}).items():
            state = states.get(key)
            if isinstance(state, Warned) and _says_something(value, state):
                yield f"metadata.{field}[{key}]"


@cache
def _fields(definition: str) -> Mapping[str, Warned | str]:
    """The fields of a definition that are warned of, or that lead to such: these with the definition of their type."""
    properties = schema.resolved(definition).get("properties") or {}
    states = FIELDS.get(definition.rsplit(".", 1)[1], {})
    found: dict[str, Warned | str] = {}
    for name, node in properties.items():
        state = states.get(name)
        if isinstance(state, Warned):
            found[name] = state
        elif isinstance(state, Look) or not states:  # kinds that the course is not about lead to Pod templates
            inner = schema.reference(node) or schema.reference(node.get("items") or {})
            if inner.startswith("io.k8s.api.") and _fields(inner):
                found[name] = inner
    return found


def _walk(obj: Mapping[str, Any], fields: Mapping[str, Warned | str], path: str) -> Iterator[str]:
    for name, value in obj.items():
        if (field := fields.get(name)) is None:
            continue
        here = f"{path}.{name}" if path else name
        if isinstance(field, Warned):
            if _says_something(value, field):
                yield here
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from _walk(item, _fields(field), f"{here}[{index}]")
        elif isinstance(value, Mapping):
            yield from _walk(value, _fields(field), here)


def _says_something(value: Any, field: Warned) -> bool:
    """Tell whether a value would change anything in a real cluster; `{}` may be a choice (`emptyDir: {}`)."""
    if value is False:
        return True in field.unless
    return value is not None and value not in ("", []) and value not in field.unless
