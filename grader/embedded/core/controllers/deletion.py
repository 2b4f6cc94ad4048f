"""How controllers delete objects: gracefully where they are Pods, and with what they own.

Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go CheckGracefulDelete,
k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete, pkg/controller/garbagecollector.
"""

from __future__ import annotations

from grader.embedded.core.controllers.base import ControllerContext
from grader.embedded.core.objects import is_deleting, is_pod_finished, key_of, with_metadata
from grader.embedded.core.store import Obj, timestamp


def grace_period(pod: Obj, requested: int | None = None) -> int:
    """Seconds that a Pod gets to end: 0 where it is not running anywhere."""
    seconds = requested if requested is not None else pod["spec"].get("terminationGracePeriodSeconds", 30)
    return 0 if not pod["spec"].get("nodeName") or is_pod_finished(pod) else max(0, int(seconds))


def delete_in_background(context: ControllerContext, resource: str, obj: Obj) -> None:
    """Delete an object as a controller does; its dependents follow by garbage collection."""
    namespace, name = key_of(obj)
    finalizers = obj["metadata"].get("finalizers") or ()
    if is_deleting(obj) and (resource == "pods" or finalizers):
        return
    grace = grace_period(obj) if resource == "pods" else 0
    if grace or finalizers:
        # the API server sets the timestamp to the end of the grace period
        context.update(
            resource,
            with_metadata(obj, deletionTimestamp=timestamp(context.now() + grace), deletionGracePeriodSeconds=grace),
        )
    else:
        context.store.delete(resource, namespace, name)
