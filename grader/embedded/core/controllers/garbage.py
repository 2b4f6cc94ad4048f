"""Deletes what has lost all of its owners, and finishes foreground deletion.

Source: k8s.io/kubernetes/pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem, processGraph).
"""

from __future__ import annotations

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.index import OwnedKey
from grader.embedded.core.objects import is_deleting, key_of, uid_of, with_metadata
from grader.embedded.core.store import Change, Obj

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class GarbageCollector(Controller):
    """Background deletion by ownerReferences; foreground and orphaning by their finalizers."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[OwnedKey] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """An object went away, is to be deleted in the foreground, or names owners."""
        if change.type == "DELETED":
            for key in self.index.owned_by(uid_of(change.obj)):
                self.queue.add(key)
            for reference in change.obj["metadata"].get("ownerReferences") or ():
                if (owner := self.index.by_uid(reference["uid"])) is not None:
                    self.queue.add(owner)
        elif change.obj["metadata"].get("ownerReferences") or _finalizers(change.obj) & {FOREGROUND, ORPHAN}:
            self.queue.add((change.resource, *key_of(change.obj)))

    def sync(self, key: OwnedKey) -> None:
        """Look at one object."""
        resource = key[0]
        obj = self.store.get(*key)
        if obj is None:
            return
        if is_deleting(obj) and _finalizers(obj) & {FOREGROUND, ORPHAN}:
            self._finish(resource, obj)
            return
        owners = obj["metadata"].get("ownerReferences") or ()
        if not owners or is_deleting(obj):
            return
        living = [owner for owner in owners if self.index.exists(owner["uid"])]
        if not living:
            delete_in_background(self.context, resource, obj)
        elif any(self._waits_for_dependents(owner["uid"]) for owner in living):
            delete_in_background(self.context, resource, obj)

    def _waits_for_dependents(self, uid: str) -> bool:
        key = self.index.by_uid(uid)
        owner = self.store.get(*key) if key else None
        return owner is not None and is_deleting(owner) and FOREGROUND in _finalizers(owner)

    def _finish(self, resource: str, obj: Obj) -> None:
        dependents = self.index.owned_by(uid_of(obj))
        if ORPHAN in _finalizers(obj):
            for key in dependents:
                dependent = self.store.get(*key)
                if dependent is not None:
                    references = [
                        r for r in dependent["metadata"].get("ownerReferences") or () if r["uid"] != uid_of(obj)
                    ]
                    freed = with_metadata(dependent, ownerReferences=references)
                    if not references:
                        del freed["metadata"]["ownerReferences"]
                    self.store.update(key[0], freed)
            self._drop(resource, obj, ORPHAN)
            return
        if dependents:
            for key in dependents:
                self.queue.add(key)
        else:
            self._drop(resource, obj, FOREGROUND)

    def _drop(self, resource: str, obj: Obj, finalizer: str) -> None:
        rest = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]
        if rest:
            self.store.update(resource, with_metadata(obj, finalizers=rest))
        else:
            self.store.delete(resource, *key_of(obj))


def _finalizers(obj: Obj) -> set[str]:
    return set(obj["metadata"].get("finalizers") or ())
