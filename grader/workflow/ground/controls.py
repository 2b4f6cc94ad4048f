"""Services of our own beside the learner's: made when something is silent, gone when the check ends.

Each check makes one under a name that was never asked for before (a DNS server may remember that a name was not
there), so several checks in one cluster do not meet. One whose check was killed is taken away by a later check.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.probes import PROBE_LABEL, PROBE_PORT
from grader.errors import ClusterUnreachable
from grader.kube.client import ApiRefused, KubeApi
from grader.model.kubernetes import name_of
from grader.model.vantage import PROBE_NAMESPACE, At

CONTROL_LABEL = "services-course.example/control"  # value: the exercise's id
STALE_SECONDS = 600.0  # no check takes so long
LONGEST_ID = 40  # of an exercise's id in a Service's name, which is a DNS label (63 characters)


def service(exercise: str, kind: str, suffix: str) -> dict[str, Any]:
    """The manifest of a Service over our own probe Pods."""
    name = f"control-{exercise[:LONGEST_ID].rstrip('-')}-{suffix}"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": PROBE_NAMESPACE, "labels": {CONTROL_LABEL: exercise}},
        "spec": {
            "type": kind,
            "selector": {PROBE_LABEL: "node"},
            "ports": [{"name": "http", "port": 80, "targetPort": PROBE_PORT}],
        },
    }


def type_for(shapes: Collection[At], cluster: ClusterInfo) -> str:
    """The type of Service that has an address of each of these kinds.

    A load balancer in somebody's own cluster may cost money and minutes: there its node ports must do.
    """
    if At.LOAD_BALANCER in shapes and cluster.provider is not Provider.CONTEXT:
        return "LoadBalancer"
    return "NodePort" if {At.LOAD_BALANCER, At.NODE_PORT} & set(shapes) else "ClusterIP"


class Control:
    """The Service of one check. Use `with`: it is deleted at the end."""

    def __init__(self, api: KubeApi, cluster: ClusterInfo, exercise: str) -> None:
        self._api, self._cluster, self._exercise = api, cluster, exercise
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._name:
            _delete(self._api, self._name)

    def lay(self, shapes: Collection[At]) -> str:
        """Make it, and take away what checks that were killed have left; its name.

        Raises ApiRefused, ClusterUnreachable.
        """
        made = service(self._exercise, type_for(shapes, self._cluster), secrets.token_hex(3))
        self._name = name_of(made)
        self._api.create(made)
        sweep(self._api)
        return self._name


def sweep(api: KubeApi, now: datetime | None = None) -> None:
    """Take away what checks that were killed have left. Never raises for a cluster's state."""
    try:
        left = api.list("services", PROBE_NAMESPACE, labels=CONTROL_LABEL)
    except (ApiRefused, ClusterUnreachable):
        return
    today = now or api.clock.today()
    for item in left:
        made = datetime.fromisoformat(str(item["metadata"]["creationTimestamp"]))
        if (today - made).total_seconds() > STALE_SECONDS:
            _delete(api, name_of(item))


def _delete(api: KubeApi, name: str) -> None:
    try:
        api.delete("services", name, PROBE_NAMESPACE)
    except (ApiRefused, ClusterUnreachable):  # a later check finds it
        return
