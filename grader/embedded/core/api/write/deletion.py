"""Deleting: at once, gracefully (Pods), after finalizers, with or without dependents.

Sources: k8s.io/apiserver/pkg/registry/generic/registry/store.go, pkg/registry/rest/delete.go,
pkg/registry/core/{pod,namespace}/storage (1.36). What takes time is finished by others: the kubelet removes a Pod, the
namespace controller a Namespace, the garbage collector dependents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import JSON, Request, Response, Tree
from grader.embedded.core.api.http.negotiate import body, encode, media_type
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.kinds.registry import STORED, Resource
from grader.embedded.core.api.kinds.strategy import HookContext
from grader.embedded.core.api.read import selectors, views
from grader.embedded.core.api.schema.types import META
from grader.embedded.core.api.write import protobuf
from grader.embedded.core.api.write.decode import read_json, read_yaml
from grader.embedded.core.store import Obj, Store, timestamp

IMMORTAL = ("default", "kube-public", "kube-system")
TOLD_WHOLE = ("namespaces", "pods", "serviceaccounts", "services")
"""Resources whose deletion answers with the object (ReturnDeletedObject in pkg/registry/core/*/storage)."""
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True)
class Options:
    """metav1.DeleteOptions.

    Attributes:
        grace: seconds that the client gives, None where it leaves that to the object.
        propagation: Background, Foreground, Orphan, or "" for the default.
        uid: the object must have it, where given.
        version: resourceVersion that the object must have, where given.
        dry_run: nothing is stored.
    """

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False


def options_of(request: Request) -> Options:
    """Read the options from body and query. Raises ApiError (400)."""
    sent: Tree = {}
    if request.body.strip():
        kind = media_type(request.headers.get("content-type", "")) or JSON
        if kind == protobuf.CONTENT_TYPE:
            _, _, raw = protobuf.envelope(request.body)
            sent = protobuf.decode(raw, f"{META}.DeleteOptions")
        else:
            read: Any = read_yaml(request.body) if "yaml" in kind else read_json(request.body)
            sent = read if isinstance(read, dict) else {}
    return options_in(sent, request)


def options_in(sent: Tree, request: Request) -> Options:
    """The options that were sent, with those of the query. Raises ApiError (400)."""
    grace = request.param("gracePeriodSeconds")
    seconds = int(grace) if grace.lstrip("-").isdigit() else sent.get("gracePeriodSeconds")
    wanted = sent.get("preconditions") or {}
    return Options(
        grace=None if seconds is None else int(seconds),
        propagation=request.param("propagationPolicy") or sent.get("propagationPolicy") or "",
        uid=wanted.get("uid") or "",
        version=wanted.get("resourceVersion") or "",
        dry_run="All" in (sent.get("dryRun") or ()) or request.param("dryRun") == "All",
    )


def success(code: int = 200, details: Tree | None = None) -> Response:
    """A Status that says Success."""
    content: Tree = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        content["details"] = details
    elif code == 201:
        content["code"] = code
    return Response(code, (("content-type", JSON),), encode(content))


def delete(store: Store, call: Call) -> Response:
    """Delete one object. Raises ApiError."""
    target, resource = call.target, call.resource
    options = options_of(call.request)
    obj = store.get(resource.store_name, target.namespace, target.name)
    if resource.plural == "namespaces" and target.name in IMMORTAL:
        raise status.forbidden("namespaces", "", target.name, "this namespace may not be deleted")
    if obj is None:
        raise status.not_found(resource.plural, resource.group, target.name)
    left = _delete(store, obj, options, resource)
    if left is None and resource.plural in TOLD_WHOLE:
        left = obj
    if left is not None:
        data, content_type = body(views.shown(left, resource), call.negotiated)
        return Response(200, (("content-type", content_type),), data)
    details = {"name": target.name, "group": resource.group, "kind": resource.plural, "uid": obj["metadata"]["uid"]}
    return success(details={key: value for key, value in details.items() if value})


def delete_collection(store: Store, call: Call) -> Response:
    """Delete what the selectors match; answers the list of it. Raises ApiError."""
    request, resource = call.request, call.resource
    options = options_of(request)
    if "deletecollection" not in resource.verbs:
        raise status.method_not_allowed()
    match = selectors.matcher(request.param("labelSelector"), request.param("fieldSelector"), resource.store_name)
    found = [obj for obj in store.list(resource.store_name, call.target.namespace or None) if match(obj)]
    for obj in found:
        _delete(store, obj, options, resource)
    content = {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(store.resource_version)},
        "items": [views.shown(obj, resource) for obj in found],
    }
    data, content_type = body(content, call.negotiated)
    return Response(200, (("content-type", content_type),), data)


def delete_pod(store: Store, pod: Obj, options: Options) -> None:
    """Begin the deletion of a Pod. Raises ApiError."""
    _delete(store, pod, options, STORED["pods"])


def _delete(store: Store, obj: Obj, options: Options, resource: Resource) -> Obj | None:
    """Begin or finish the deletion; returns what is left of the object, None where nothing is. Raises ApiError."""
    meta = obj["metadata"]
    check_preconditions(obj, options, resource.plural, resource.group)
    if options.dry_run:
        return None
    finalizers = _finalizers(obj, options)
    grace = _grace(obj, options) if resource.strategy.graceful else 0
    waits = bool(finalizers) or (resource.plural == "namespaces" and bool(obj.get("spec", {}).get("finalizers")))
    if not grace and not waits:
        store.delete(resource.store_name, meta.get("namespace", ""), meta["name"])
        resource.strategy.after_delete(obj, HookContext(store))
        return None
    if "deletionTimestamp" in meta and grace >= meta.get("deletionGracePeriodSeconds", 0):
        return obj
    began = {**meta, "deletionTimestamp": timestamp(store.now() + grace), "deletionGracePeriodSeconds": grace}
    if finalizers:
        began["finalizers"] = finalizers
    marked = {**obj, "metadata": began}
    if resource.plural == "namespaces":
        marked["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return store.update(resource.store_name, marked)


def check_preconditions(obj: Obj, options: Options, plural: str, group: str) -> None:
    """Whether the object is the one that is meant. Raises ApiError (409)."""
    meta = obj["metadata"]
    for asked, known, what in (
        (options.uid, meta["uid"], "UID"),
        (options.version, meta["resourceVersion"], "ResourceVersion"),
    ):
        if asked and asked != known:
            why = f"Precondition failed: {what} in precondition: {asked}, {what} in object meta: {known}"
            raise status.conflict(plural, group, meta["name"], why)


def _finalizers(obj: Obj, options: Options) -> list[str]:
    held = [name for name in obj["metadata"].get("finalizers") or () if name not in (FOREGROUND, ORPHAN)]
    if options.propagation == "Foreground":
        held.append(FOREGROUND)
    elif options.propagation == "Orphan":
        held.append(ORPHAN)
    elif not options.propagation:
        held = list(obj["metadata"].get("finalizers") or ())
    return held


def _grace(obj: Obj, options: Options) -> int:
    """CheckGracefulDelete of Pods: none for one that never ran or has ended."""
    if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in ("Failed", "Succeeded"):
        return 0
    grace = options.grace
    if grace is None:
        grace = obj["spec"].get("terminationGracePeriodSeconds", 30)
    return max(int(grace), 1 if grace < 0 else 0)


def finish(store: Store, resource: Resource, obj: Obj) -> Obj:
    """Remove an object whose deletion waited for finalizers that are gone now."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers"):
        return obj
    if resource.plural == "namespaces" and obj.get("spec", {}).get("finalizers"):
        return obj
    if meta.get("deletionGracePeriodSeconds", 0) > 0:
        return obj
    store.delete(resource.store_name, meta.get("namespace", ""), meta["name"])
    resource.strategy.after_delete(obj, HookContext(store))
    return obj
