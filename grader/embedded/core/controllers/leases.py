"""Takes the Leases of nodes and of the control plane, and takes them again where somebody deletes them.

They are renewed when they are read (core/leases.py). Source: see there.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.embedded.core import leases
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import Key, key_of
from grader.embedded.core.store import Change


class LeaseController(Controller):
    """Keeps one Lease for each node and each leader."""

    def __init__(self, context: ControllerContext, nodes: Iterable[str], control_plane: str) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._control_plane = control_plane
        self._kept = (
            *((leases.NODE_NAMESPACE, node) for node in nodes),
            *((leases.LEADER_NAMESPACE, name) for name in leases.LEADERS),
        )

    def on_change(self, change: Change) -> None:
        """A node has joined, or a Lease is gone: its holder sees that when it would renew it."""
        if change.resource == "nodes" and change.type == "ADDED":
            name = change.obj["metadata"]["name"]
            for key in self._kept:
                if key[1] == name or (name == self._control_plane and key[0] == leases.LEADER_NAMESPACE):
                    self.queue.add(key)
        elif change.resource == "leases" and change.type == "DELETED" and key_of(change.obj) in self._kept:
            self.queue.add_after(key_of(change.obj), leases.period_of(change.obj) or leases.LEADER_PERIOD)

    def sync(self, key: Key) -> None:
        """Take one Lease, where nobody has it."""
        namespace, name = key
        if self.store.get("leases", *key) is not None or not self.index.has_namespace(namespace):
            return
        node = self.store.get("nodes", "", name)
        if namespace == leases.LEADER_NAMESPACE:
            uid = self.store.new_uid()
            self.store.create("leases", leases.leader(name, self._control_plane, uid, self.context.now()))
        elif node is not None:
            self.store.create("leases", leases.heartbeat(node, self.context.now()))
