"""The one place where the emulated cluster's objects live: what etcd and the watch cache are to a real one.

An object is a plain JSON tree (`Obj`) that carries its apiVersion and kind. Once stored it is never mutated: whoever
wants a change copies, changes the copy, and calls `update`. Every write gets the next resourceVersion of one counter,
is kept in a bounded history (so that a watch can resume, or learn that it is too old), and is announced to all
subscribers before the call returns. Versions of an object share what is equal in them.

The store knows nothing of defaulting, validation or graceful deletion; that is the API's part (`api/`).
"""

from __future__ import annotations

import bisect
import random as random_
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Obj = dict[str, Any]
"""A full API object as JSON: apiVersion, kind, metadata, …; never mutated once stored."""

Objs = list[Obj]

# Changes that a watch can go on from; one from before is told 410 and lists anew, as after etcd compacted.
HISTORY_LIMIT = 10_000

GENERATION_FIELDS = {
    "cronjobs": ("spec",),
    "daemonsets": ("spec",),
    "deployments": ("spec",),
    "endpointslices": ("addressType", "endpoints", "ports", "labels"),
    "ingresses": ("spec",),
    "ingressclasses": ("spec",),
    "jobs": ("spec",),
    "networkpolicies": ("spec",),
    "poddisruptionbudgets": ("spec",),
    "pods": ("spec",),
    "priorityclasses": (),
    "replicasets": ("spec",),
    "replicationcontrollers": ("spec",),
    "statefulsets": ("spec",),
}
"""What bumps metadata.generation, for the resources whose registry strategy keeps one (pkg/registry/*/strategy.go)."""


class StoreError(Exception):
    """A write that the store cannot do."""


class AlreadyExists(StoreError):
    """An object of that resource, namespace and name is stored already."""


class NotFound(StoreError):
    """There is no object of that resource, namespace and name."""


class Conflict(StoreError):
    """The object changed since the writer read it."""


class Gone(StoreError):
    """The history asked for has been dropped.

    Attributes:
        since: the version that was asked for.
        oldest: the oldest version whose successors are all still known.
    """

    def __init__(self, since: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {since} ({oldest})")
        self.since = since
        self.oldest = oldest


@dataclass(frozen=True)
class Change:
    """One write.

    Attributes:
        type: what happened to the object.
        resource: plural resource name, such as `services`.
        obj: the object after the write; for DELETED its last state, with the deletion's resourceVersion.
        old: the object before the write; None for ADDED.
        version: the resourceVersion of the write.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: str
    obj: Obj
    old: Obj | None
    version: int


Changes = list[Change]


def timestamp(seconds: float) -> str:
    """A metav1.Time: RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(obj: Obj) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _comparable(obj: Obj) -> Obj:
    ignored = ("resourceVersion", "generation", "uid", "creationTimestamp")
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in ignored}}


def _sharing(new: Obj, old: Obj) -> Obj:
    """The new tree, made of the old one's parts wherever they are equal.

    The history holds many versions of an object, and most of each is as it was before.
    """
    return {key: _shared(value, old[key]) if key in old else value for key, value in new.items()}


def _shared(new: Any, old: Any) -> Any:
    if new is old or type(new) is not type(old):
        return new
    if isinstance(new, dict):
        return old if new == old else _sharing(new, old)
    if isinstance(new, list):
        if new == old:
            return old
        if len(new) == len(old):
            return [_shared(item, before) for item, before in zip(new, old, strict=True)]
        # something was put in or taken out: what is before it is where it was, what is after it as far from the end
        shift = len(old) - len(new)
        return [_shared_item(item, old, at, at + shift) for at, item in enumerate(new)]
    return old if isinstance(new, str) and new == old else new


def _shared_item(item: Any, old: list[Any], *places: int) -> Any:
    for at in places:
        if 0 <= at < len(old) and item == old[at]:
            return old[at]
    return item


def _counted(obj: Obj, field: str) -> Any:
    """What counts for the generation: binding a Pod to a node does not (pkg/registry/core/pod/storage BindingREST)."""
    if field == "labels":
        return obj["metadata"].get("labels") or {}
    value = obj.get(field)
    if obj.get("kind") == "Pod" and isinstance(value, dict):
        return {key: item for key, item in value.items() if key != "nodeName"}
    return value


class Store:
    """All objects of one cluster, by plural resource name, namespace ("" where cluster-scoped) and name."""

    def __init__(
        self,
        now: Callable[[], float],
        random: random_.Random | None = None,
        *,
        history_limit: int = HISTORY_LIMIT,
    ) -> None:
        self.now = now
        self.random = random or random_.Random()
        self.resource_version = 0
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {}
        self._history: deque[Change] = deque(maxlen=history_limit)
        self._dropped = 0
        self._subscribers: list[Callable[[Change], None]] = []

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """The stored object, or None; it must not be mutated."""
        return self._objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> Objs:
        """All objects of a resource, of one namespace where it is given, in etcd's order (namespace, name)."""
        held = self._objects.get(resource, {})
        return [held[key] for key in sorted(key for key in held if not namespace or key[0] == namespace)]

    def resources(self) -> Iterable[str]:
        """The resources of which at least one object was ever stored."""
        return tuple(self._objects)

    def create(self, resource: str, obj: Obj) -> Obj:
        """Store a new object with uid, creationTimestamp and resourceVersion (and generation where the kind has one).

        Raises AlreadyExists.
        """
        key = _key(obj)
        held = self._objects.setdefault(resource, {})
        if key in held:
            raise AlreadyExists(f"{resource} {key[1]!r} already exists")
        metadata = dict(obj["metadata"])
        metadata.setdefault("uid", self.new_uid())
        metadata.setdefault("creationTimestamp", timestamp(self.now()))
        if resource in GENERATION_FIELDS:
            metadata.setdefault("generation", 1)
        version = self._next_version()
        metadata["resourceVersion"] = str(version)
        stored = {**obj, "metadata": metadata}
        held[key] = stored
        self._announce(Change("ADDED", resource, stored, None, version))
        return stored

    def update(self, resource: str, obj: Obj, *, expect: str | None = None) -> Obj:
        """Replace a stored object; nothing happens, and the stored one is returned, where nothing differs.

        Args:
            resource: plural resource name.
            obj: the whole new object; uid, creationTimestamp and resourceVersion are kept by the store.
            expect: the resourceVersion that the writer saw, where the write must fail if another came first.

        Raises NotFound, Conflict.
        """
        key = _key(obj)
        old = self.get(resource, *key)
        if old is None:
            raise NotFound(f"{resource} {key[1]!r} not found")
        before = old["metadata"]
        if expect and expect != before["resourceVersion"]:
            raise Conflict(f"{resource} {key[1]!r}: the object has been modified")
        if _comparable(obj) == _comparable(old):
            return old
        metadata = dict(obj["metadata"])
        metadata["uid"] = before["uid"]
        metadata["creationTimestamp"] = before["creationTimestamp"]
        if (fields := GENERATION_FIELDS.get(resource)) is not None:
            spec_changed = any(_counted(obj, field) != _counted(old, field) for field in fields)
            deletion_began = "deletionTimestamp" in metadata and "deletionTimestamp" not in before
            metadata["generation"] = before.get("generation", 1) + (1 if spec_changed or deletion_began else 0)
        version = self._next_version()
        metadata["resourceVersion"] = str(version)
        stored = _sharing({**obj, "metadata": metadata}, old)
        self._objects[resource][key] = stored
        self._announce(Change("MODIFIED", resource, stored, old, version))
        return stored

    def delete(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Remove an object for good; returns its last state, or None where there was none."""
        old = self._objects.get(resource, {}).pop((namespace, name), None)
        if old is None:
            return None
        version = self._next_version()
        gone = {**old, "metadata": {**old["metadata"], "resourceVersion": str(version)}}
        self._announce(Change("DELETED", resource, gone, old, version))
        return gone

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back synchronously after each write; the function returned ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def history(self, since: int) -> Changes:
        """All writes after a resourceVersion, oldest first. Raises Gone where some are no longer known."""
        if since < self._dropped:
            raise Gone(since, self._dropped)
        start = bisect.bisect_right(self._history, since, key=lambda change: change.version)
        return [self._history[index] for index in range(start, len(self._history))]

    def new_uid(self) -> str:
        """A random UUID (version 4) from the store's own source of randomness."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def dump(self) -> dict[str, Any]:
        """The whole content as a JSON tree for `load`; the history is not part of it."""
        return {
            "resourceVersion": self.resource_version,
            "objects": {resource: [*held.values()] for resource, held in self._objects.items()},
        }

    def load(self, content: dict[str, Any]) -> None:
        """Take over a `dump`; earlier versions are Gone to watches, and no change is announced."""
        self.resource_version = self._dropped = int(content["resourceVersion"])
        self._history.clear()
        self._objects = {
            resource: {_key(obj): obj for obj in objects} for resource, objects in content["objects"].items()
        }

    def _next_version(self) -> int:
        self.resource_version += 1
        return self.resource_version

    def _announce(self, change: Change) -> None:
        if len(self._history) == self._history.maxlen:
            self._dropped = self._history[0].version
        self._history.append(change)
        for callback in tuple(self._subscribers):
            callback(change)
