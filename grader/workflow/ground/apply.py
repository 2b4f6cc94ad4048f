"""Apply manifests the way `kubectl apply` does, and keep what the API server said of each.

Like kubectl's client-side apply (k8s.io/kubectl/pkg/cmd/apply) it keeps the manifest in the annotation
`last-applied-configuration`, so that real kubectl and this can take turns on the same object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

from grader.cluster.info import ClusterInfo
from grader.errors import ClusterUnreachable
from grader.kube.client import ApiRefused, KubeApi, connected
from grader.model.evidence import Action, ManifestResult
from grader.workflow.ground.bounds import Bounds, refusal, well_formed
from grader.workflow.ground.manifests import Document, read_documents

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl-client-side-apply"
CONTROLLERS_ANNOTATIONS = frozenset({"deployment.kubernetes.io/revision"})
TRIES = 5  # a controller may write the object's status between a read and a write
QUERY = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
# What tells the items of a list of objects apart (patchMergeKey in k8s.io/api/core/v1/types.go), most telling first.
MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "ports": ("port", "containerPort"),
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
}
SERVER_METADATA = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp"}
)


def apply_manifests(
    text: str,
    namespace: str,
    cluster: ClusterInfo,
    *,
    bounds: Bounds | None = None,
    api: KubeApi | None = None,
) -> tuple[ManifestResult, ...]:
    """Apply every object of a YAML text into a namespace; one result an object, in order.

    Args:
        text: YAML or JSON; several documents and List kinds.
        namespace: where objects go that name none.
        cluster: whose API server.
        bounds: what is let through, where the text comes from somebody who is not trusted.
        api: the cluster's API server, where connections to it are open already.

    Raises ManifestError (facts: line, column, reason) where the text cannot be read as objects at all,
    ClusterUnreachable where the API server does not answer.
    """
    documents = read_documents(text)
    with connected(cluster.kubeconfig, api) as server:
        return tuple(apply_document(server, item, namespace, bounds=bounds) for item in documents)


def apply_document(
    api: KubeApi,
    document: Document,
    namespace: str,
    *,
    bounds: Bounds | None = None,
    exactly: Callable[[KubeApi, Mapping[str, Any], str], object] | None = None,
) -> ManifestResult:
    """Apply one object. Raises ClusterUnreachable.

    Args:
        api: the API server.
        document: the object.
        namespace: as in `apply_manifests`.
        bounds: as in `apply_manifests`.
        exactly: used in the place of what `kubectl apply` does: makes an object, in a namespace, just what is said.
    """
    obj = document.content
    kind, name = "", ""
    try:
        well_formed(obj)
        kind, name = obj["kind"], str(obj["metadata"].get("name") or "")
        if bounds is not None:
            bounds.check(api, obj, namespace)
            # exported from another cluster: what that one set means nothing here
            obj = _without(obj, SERVER_METADATA)
        resource = api.resource_of(obj)
        target = (obj["metadata"].get("namespace") or namespace) if resource.namespaced else ""
        if exactly:
            exactly(api, obj, target)
            action = Action.CONFIGURED
        else:
            action = _send(api, obj, resource.path(target or None), name, target)
    except ApiRefused as error:
        where = namespace
        if isinstance(obj, Mapping) and isinstance(obj.get("metadata"), Mapping):
            where = str(obj["metadata"].get("namespace") or namespace)
        return ManifestResult(document.line, kind or _kind(obj), name, where, Action.REFUSED, error.status)
    return ManifestResult(document.line, kind, name, target, action)


def _kind(obj: Any) -> str:
    return str(obj.get("kind") or "?") if isinstance(obj, Mapping) else "?"


def _send(api: KubeApi, obj: Mapping[str, Any], collection: str, name: str, namespace: str) -> Action:
    """Create or update one object. Raises ApiRefused, ClusterUnreachable."""
    metadata = {**obj["metadata"], **({"namespace": namespace} if namespace else {})}
    plain = {**obj, "metadata": metadata}
    annotations = {**(metadata.get("annotations") or {}), LAST_APPLIED: _last_applied(plain)}
    modified = {**plain, "metadata": {**metadata, "annotations": annotations}}
    for _ in range(TRIES):
        try:
            live = api.get(_item(collection, name))
        except ApiRefused as error:
            if error.http_status != 404:
                raise
            # cli-runtime v0.36 pkg/resource/helper.go CreateWithOptions
            _change(api, "POST", collection, _without(modified, ("resourceVersion",)))
            return Action.CREATED
        original = _parsed((live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED, ""))
        desired = merge(original, modified, live)
        if _significant(desired) == _significant(live):
            return Action.UNCHANGED
        try:
            _change(api, "PUT", _item(collection, name), desired)
            return Action.CONFIGURED
        except ApiRefused as error:
            if error.reason != "Conflict":
                raise
    raise refusal("metadata.resourceVersion", "Conflict", "the object kept changing")


def _item(collection: str, name: str) -> str:
    """Path of an object, whatever a learner calls it."""
    quoted = name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
    return f"{collection}/{quoted}"


def _without(obj: Mapping[str, Any], fields: Collection[str]) -> Mapping[str, Any]:
    """Leave out fields of an object's metadata."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in fields}}


def replace(
    api: KubeApi, obj: Mapping[str, Any], namespace: str, *, dry_run: bool = False
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Make an object exactly what a manifest says, but for what the server and controllers add.

    Returns what it was and what it became; None where it was missing. With `dry_run` the server keeps nothing of it,
    and what is missing stays missing. Raises as `_send`.
    """
    name = str(obj["metadata"]["name"])
    resource = api.resource_of(obj)
    target = (obj["metadata"].get("namespace") or namespace) if resource.namespaced else ""
    path = resource.path(target or None)
    for _ in range(TRIES):
        try:
            live = api.get(_item(path, name))
        except ApiRefused as error:
            if error.http_status != 404:
                raise
            if not dry_run:
                _send(api, obj, path, name, target)
            return None
        metadata = {**obj["metadata"], **({"namespace": target} if target else {})}
        had = live["metadata"].get("annotations") or {}
        annotations = {
            **{key: value for key, value in had.items() if key in CONTROLLERS_ANNOTATIONS},
            **(metadata.get("annotations") or {}),
            LAST_APPLIED: _last_applied({**obj, "metadata": metadata}),
        }
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        kept = {"status": live["status"]} if "status" in live else {}
        body = {**obj, **kept, "metadata": {**metadata, "annotations": annotations, **version}}
        try:
            return live, _change(api, "PUT", _item(path, name), body, dry_run=dry_run)
        except ApiRefused as error:
            if error.reason != "Conflict":
                raise
    raise refusal("metadata.resourceVersion", "Conflict", "the object kept changing")


def _last_applied(obj: Mapping[str, Any]) -> str:
    return json.dumps(obj, separators=(",", ":")) + "\n"


def merge(original: Any, modified: Any, current: Any, key: str = "") -> Any:
    """Merge three ways: what `modified` says holds, what only `original` said goes, the rest of `current` stays."""
    if isinstance(modified, Mapping) and isinstance(current, Mapping):
        before = original if isinstance(original, Mapping) else {}
        gone = {name for name in before if name not in modified}
        result = {name: value for name, value in current.items() if name not in gone}
        for name, value in modified.items():
            result[name] = merge(before.get(name), value, current.get(name), str(name))
        return {name: value for name, value in result.items() if value is not None}
    if isinstance(modified, list) and isinstance(current, list) and (merge_key := _merge_key(key, modified, current)):
        before = {_identity(item, merge_key): item for item in original or () if isinstance(item, Mapping)}
        now = {_identity(item, merge_key): item for item in current}
        merged = [
            merge(before.get(_identity(item, merge_key)), item, now.get(_identity(item, merge_key), {}))
            for item in modified
        ]
        mine = {_identity(item, merge_key) for item in modified} | set(before)
        return [*merged, *(item for identity, item in now.items() if identity not in mine)]
    return modified


def _merge_key(key: str, *lists: list[Any]) -> str:
    for candidate in MERGE_KEYS.get(key, ()):
        if all(isinstance(item, Mapping) and candidate in item for items in lists for item in items):
            return candidate
    return ""


def _identity(item: Mapping[str, Any], merge_key: str) -> tuple[Any, Any]:
    return (item.get(merge_key), item.get("protocol", "TCP") if "ort" in merge_key else None)


def _significant(obj: Mapping[str, Any]) -> Any:
    metadata = _without(obj, SERVER_METADATA)["metadata"]
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    return {**obj, "metadata": {**metadata, "annotations": annotations}, "status": None}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {}


def _change(
    api: KubeApi, method: str, path: str, body: Mapping[str, Any], *, dry_run: bool = False
) -> Mapping[str, Any]:
    """Send a change, and return what the object became. Raises ApiRefused on 4xx, ClusterUnreachable on 5xx."""
    status, answer = api.request(method, path, {**QUERY, **({"dryRun": "All"} if dry_run else {})}, body=body)
    parsed = _parsed(answer.decode(errors="replace"))
    if status < 400:
        return parsed if isinstance(parsed, dict) else {}
    said = parsed if isinstance(parsed, dict) else {"message": answer.decode(errors="replace")}
    if status >= 500:
        raise ClusterUnreachable(
            "api-failing", server=api.connection.server, http_status=status, reason=said.get("message", "")
        )
    raise ApiRefused(said, status)
