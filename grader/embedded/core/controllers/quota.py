"""Tells in each ResourceQuota what is in use of it.

Source: k8s.io/kubernetes/pkg/controller/resourcequota/resource_quota_controller.go syncResourceQuota.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.embedded.core import quota
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import Key, key_of
from grader.embedded.core.store import Change


class QuotaController(Controller):
    """Keeps the status of the quotas of each Namespace.

    Args:
        context: the cluster.
        groups: API group of each kind that is served, by its plural.

    """

    def __init__(self, context: ControllerContext, groups: Mapping[str, str]) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._groups = groups

    def on_change(self, change: Change) -> None:
        """A quota changed, or something that it may count."""
        if change.resource in self._groups:
            for found in self.store.list("resourcequotas", change.obj["metadata"].get("namespace") or "-"):
                self.queue.add(key_of(found))

    def sync(self, key: Key) -> None:
        """Count anew."""
        found = self.store.get("resourcequotas", *key)
        if found is None:
            return
        now = self.context.now()
        used = quota.used(found, lambda kind: self.store.list(kind, key[0]), self._groups, now)
        status = {
            "hard": found["spec"].get("hard") or {},
            "used": {name: str(used[name]) for name in sorted(used)},
        }
        self.context.update_status("resourcequotas", found, status)
