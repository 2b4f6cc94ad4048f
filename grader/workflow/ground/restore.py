"""Make an exercise's ground as new: what a learner made goes, what was given is exactly as given again.

What the API server lets change is changed back in place, which is quick. What must be made anew: a workload whose Pods
were changed (its old Pods would linger, and a rollout back to Pods that never become ready would never end), a Pod
(most of its fields cannot be changed), and whatever the server refuses to change back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from grader.causes.owners import GENERATED, WORKLOADS
from grader.causes.partial import differences
from grader.errors import EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.kube.resources import KNOWN, by_plural
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_finished, is_terminating, labels_of, name_of, uid_of, workload_of
from grader.model.vantage import PROBE_POD
from grader.workflow.ground.apply import CONTROLLERS_ANNOTATIONS, LAST_APPLIED, replace
from grader.workflow.ground.manifests import Document, read_documents

CLEARED = (
    "services",
    "endpoints",
    "endpointslices",
    "networkpolicies",
    "ingresses",
    "horizontalpodautoscalers",
    "resourcequotas",
    "limitranges",
    "jobs",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "configmaps",
    "pods",
)
# What given objects are, or controllers make of them.
MOVING = frozenset({"services", "endpointslices", "configmaps", "deployments", "statefulsets", "daemonsets", "pods"})
MAY_BE_HIDDEN = frozenset(
    {"endpoints", "networkpolicies", "ingresses", "horizontalpodautoscalers", "resourcequotas", "limitranges", "jobs"}
)  # a shared cluster may not show them
CLUSTERS_OWN = frozenset({("configmaps", "kube-root-ca.crt"), ("pods", PROBE_POD)})
# What makes a workload's Pods what they are; the rest of its spec is changed back in place.
POD_MAKING = ("selector", "template", "serviceName", "podManagementPolicy")
ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
ENDPOINTS_TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "None"
SLICE = "EndpointSlice"
GONE_SECONDS = 20.0
GONE_PAUSE = 0.05

Key = tuple[str, str, str]


def documents(exercise: Exercise) -> tuple[Document, ...]:
    """Read the objects of the given workload; an exercise may give none."""
    return _read(exercise.given)


@lru_cache(maxsize=64)
def _read(given: str) -> tuple[Document, ...]:
    """Read a given workload once: it is looked at again and again, and never changed."""
    if not any(line.strip() and not line.lstrip().startswith(("#", "---")) for line in given.splitlines()):
        return ()
    return read_documents(given)


def given_keys(exercise: Exercise) -> frozenset[Key]:
    """Name the given objects: Namespace, kind, name."""
    return frozenset(_key(item.content, exercise) for item in documents(exercise))


def _key(obj: Mapping[str, Any], exercise: Exercise) -> Key:
    metadata = obj["metadata"]
    return str(metadata.get("namespace") or exercise.namespace), str(obj["kind"]), str(metadata["name"])


def clear(
    api: KubeApi,
    exercise: Exercise,
    restored: dict[Key, Object] | None = None,
    kinds: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Delete what does not belong to the given workload, and make that exactly as given; tell what was deleted.

    Args:
        api: where.
        exercise: whose ground.
        restored: what given objects were once an earlier call had made them exactly as given, kept here from call to
            call: one that is so still is left alone, which is quick.
        kinds: the only kinds that somebody may have made something of; None: any.

    Raises ClusterUnreachable, ApiRefused, EnvironmentError_ ("given-refused").
    """
    given, templates = given_keys(exercise), _templates(exercise)
    live: dict[Key, Object] = {}
    removed: list[str] = []
    since: dict[str, str] = {}  # Namespace → when the oldest Service that was deleted came into being
    looked_at = CLEARED if kinds is None else tuple(item for item in CLEARED if item in plurals(kinds) | MOVING)
    for namespace in exercise.all_namespaces:
        for plural in looked_at:
            for obj in listed(api, plural, namespace):
                if (finalizers := _foreign(obj)) and (is_terminating(obj) or _stray(obj, plural, namespace, given)):
                    _release(api, obj, plural, finalizers)
                    if is_terminating(obj):
                        removed.append(shown(obj["kind"], name_of(obj), namespace, exercise))
                if (key := (namespace, obj["kind"], name_of(obj))) in given and not is_terminating(obj):
                    live[key] = _standing(obj)
                if not _stray(obj, plural, namespace, given) and not (
                    plural == "pods" and _changed(obj, namespace, templates, since.get(namespace))
                ):
                    continue
                api.delete(plural, name_of(obj), namespace, grace_seconds=0 if plural == "pods" else None)
                removed.append(shown(obj["kind"], name_of(obj), namespace, exercise))
                if plural == "services":
                    born = str(obj["metadata"]["creationTimestamp"])
                    since[namespace] = min(born, since.get(namespace, born))
    for item in documents(exercise):
        key = _key(item.content, exercise)
        if restored is not None and key in live and restored.get(key) == live[key]:
            continue
        became = _restore(api, item, exercise)
        if restored is not None:
            restored[key] = _standing(became) if became is not None else {"anew": object()}  # like no other
    return tuple(removed)


def plurals(kinds: Collection[str]) -> frozenset[str]:
    """Name the resources of kinds that are known here."""
    return frozenset(resource.plural for resource in KNOWN if resource.kind in kinds)


def _foreign(obj: Object) -> list[str]:
    """List the finalizers that no component of the cluster will ever take off."""
    finalizers = obj["metadata"].get("finalizers") or ()
    return [
        item for item in finalizers if "/" in item and not item.partition("/")[0].endswith(("kubernetes.io", "k8s.io"))
    ]


def _release(api: KubeApi, obj: Object, plural: str, finalizers: list[str]) -> None:
    """Take finalizers off: an object that was deleted is then gone. Raises ApiRefused, ClusterUnreachable."""
    kept = [item for item in obj["metadata"]["finalizers"] if item not in finalizers]
    path = by_plural(plural).path(obj["metadata"]["namespace"], name_of(obj))
    api.patch(path, {"metadata": {"finalizers": kept or None}})


def shown(kind: str, name: str, namespace: str, exercise: Exercise) -> str:
    """Name an object for a person: the Namespace is told where it is not the exercise's own."""
    return f"{kind}/{name}" + ("" if namespace == exercise.namespace else f"({namespace})")


def listed(api: KubeApi, plural: str, namespace: str) -> list[Object]:
    """List a resource; none where a shared cluster may hide it. Raises ApiRefused, ClusterUnreachable."""
    try:
        return api.list(plural, namespace)
    except ApiRefused:
        if plural in MAY_BE_HIDDEN:
            return []
        raise


def _stray(obj: Object, plural: str, namespace: str, given: frozenset[Key]) -> bool:
    """Tell whether an object is the learner's: not given, nobody's child, and not made by the cluster itself."""
    metadata = obj["metadata"]
    if (plural, name_of(obj)) in CLUSTERS_OWN or (namespace, obj["kind"], name_of(obj)) in given:
        return False
    if is_terminating(obj) or metadata.get("ownerReferences"):
        return False
    return not made_by_cluster(obj)


def made_by_cluster(obj: Mapping[str, Any]) -> bool:
    """Tell whether the cluster made an object that has no owner: the Endpoints of a Service."""
    if obj["kind"] != "Endpoints":
        return False
    annotations = obj["metadata"].get("annotations") or {}
    return ENDPOINTS_MANAGED_BY in labels_of(obj) or ENDPOINTS_TRIGGER in annotations


def _templates(exercise: Exercise) -> dict[tuple[str, str, str], Mapping[str, str]]:
    """Tell which labels the Pods of a given workload are made with, by Namespace, kind and name of the workload."""
    return {
        _key(item.content, exercise): item.content["spec"]["template"]["metadata"]["labels"]
        for item in documents(exercise)
        if item.content["kind"] in WORKLOADS
    }


def _changed(
    pod: Object, namespace: str, templates: Mapping[tuple[str, str, str], Mapping[str, str]], since: str | None
) -> bool:
    """Tell whether a given workload's Pod has other labels than it was made with, or knows a Service that is gone.

    A Pod keeps variables of the Services that were there when it started.
    """
    made_with = templates.get((namespace, *workload_of(pod)))
    if made_with is None or is_terminating(pod):
        return False
    own = {key: value for key, value in labels_of(pod).items() if key not in GENERATED}
    return own != made_with or (since is not None and str(pod["metadata"]["creationTimestamp"]) >= since)


def _restore(api: KubeApi, item: Document, exercise: Exercise) -> Object | None:
    """Make one given object exactly as given, as `make_exactly`.

    Raises EnvironmentError_ ("given-refused"), ClusterUnreachable.
    """
    obj = item.content
    namespace, kind, name = _key(obj, exercise)
    try:
        if kind == SLICE and (live := api.read("endpointslices", name, namespace)) and _times(live) > 1:
            _remove(api, {**live, "kind": kind}, namespace)
            _create(api, obj, namespace)
            return None
        return make_exactly(api, obj, namespace)
    except ApiRefused as error:
        raise EnvironmentError_(
            "given-refused", exercise=exercise.id, object=f"{kind}/{name}", reason=error.message
        ) from error


def make_exactly(api: KubeApi, obj: Mapping[str, Any], namespace: str) -> Object | None:
    """Make an object exactly what a manifest says, whatever is there now.

    Returns what it became where it was changed in place, None where it was made anew or is a Pod. Raises ApiRefused,
    ClusterUnreachable.
    """
    kind, name = obj["kind"], name_of(obj)
    if kind == "Pod":
        _restore_pod(api, obj, namespace)
        return None
    live = api.read("services", name, namespace) if kind == "Service" else None
    if live is not None and _headless(live) != _headless(obj):
        # the server would keep the clusterIP that there is, or refuse
        _remove(api, {**live, "kind": kind}, namespace)
        _create(api, obj, namespace)
        return None
    return _put(api, obj, namespace)


def differs(api: KubeApi, live: Mapping[str, Any], obj: Mapping[str, Any], namespace: str) -> bool:
    """Tell whether a live object is another than a manifest says. Raises ApiRefused, ClusterUnreachable."""
    if obj["kind"] == "Pod":
        return not _as_given(live, obj)
    if obj["kind"] == "Service" and _headless(live) != _headless(obj):
        return True
    try:
        swap = replace(api, obj, namespace, dry_run=True)
    except ApiRefused as error:
        if error.reason != "Invalid":
            raise
        return True
    return swap is None or _significant(swap[0]) != _significant(swap[1])


def _standing(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a live object all that somebody may have changed; what it was last applied as decides the next apply."""
    annotations = obj["metadata"].get("annotations") or {}
    return {**_significant(obj), "applied": annotations.get(LAST_APPLIED), "times": _times(obj)}


def _times(obj: Mapping[str, Any]) -> int:
    """Count how often a slice was changed: kube-proxy may still use it for the Service that its label named first."""
    return int(obj["metadata"].get("generation", 1)) if obj["kind"] == SLICE else 1


def _significant(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = obj.get("metadata", {})
    not_said = {LAST_APPLIED, *CONTROLLERS_ANNOTATIONS}
    annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key not in not_said}
    content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    return {"labels": metadata.get("labels") or {}, "annotations": annotations, **content}


def _headless(service: Mapping[str, Any]) -> bool:
    spec = service.get("spec")
    return isinstance(spec, Mapping) and spec.get("clusterIP") == HEADLESS


def _put(api: KubeApi, obj: Mapping[str, Any], namespace: str) -> Object | None:
    """Change an object back; make it anew where that cannot be done or would not be enough.

    Returns and raises as `make_exactly`.
    """
    try:
        swap = replace(api, obj, namespace)
    except ApiRefused as error:
        if error.reason != "Invalid":
            raise
        live: Mapping[str, Any] = api.get(api.resource_of(obj).path(namespace, name_of(obj)))
    else:
        if swap is None:
            return None
        if obj["kind"] not in WORKLOADS or _pod_making(swap[0]) == _pod_making(swap[1]):
            return dict(swap[1])
        live = swap[1]
    _remove(api, {**live, "apiVersion": obj["apiVersion"], "kind": obj["kind"]}, namespace)
    _create(api, obj, namespace)
    return None


def _pod_making(workload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: workload.get("spec", {}).get(key) for key in POD_MAKING}


def _remove(api: KubeApi, live: Mapping[str, Any], namespace: str) -> None:
    """Delete an object, and a workload's ReplicaSets and Pods with it, without waiting for the garbage collector."""
    resource = api.resource_of(live)
    api.delete(resource.plural, name_of(live), namespace, grace_seconds=0 if live["kind"] == "Pod" else None)
    if live["kind"] not in WORKLOADS:
        return
    owners = {uid_of(live)}
    for child in _children(api, "replicasets", namespace, owners):
        api.delete("replicasets", name_of(child), namespace)
        owners.add(uid_of(child))
    for pod in _children(api, "pods", namespace, owners):
        api.delete("pods", name_of(pod), namespace, grace_seconds=0)


def _children(api: KubeApi, plural: str, namespace: str, owners: set[str]) -> Iterator[Object]:
    for obj in api.list(plural, namespace):
        if any(owner.get("uid") in owners for owner in obj["metadata"].get("ownerReferences") or ()):
            yield obj


def _create(api: KubeApi, obj: Mapping[str, Any], namespace: str) -> None:
    """Create an object once its predecessor is gone. Raises ApiRefused where that stays."""
    begun = api.clock.monotonic()
    path = api.resource_of(obj).path(namespace, name_of(obj))
    while api.clock.monotonic() - begun < GONE_SECONDS:
        try:
            api.get(path)
        except ApiRefused as error:
            if error.http_status != 404:
                raise
            break
        api.clock.sleep(GONE_PAUSE)
    replace(api, obj, namespace)


def _restore_pod(api: KubeApi, obj: Mapping[str, Any], namespace: str) -> None:
    """Leave a Pod that is as given alone, and make any other anew."""
    live = api.read("pods", name_of(obj), namespace)
    if live is not None and _as_given(live, obj):
        return
    if live is not None:
        _remove(api, {**live, "kind": "Pod"}, namespace)
    _create(api, obj, namespace)


def _as_given(live: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    """Tell whether a Pod is the one that was given, or another that came in its place or was changed."""
    applied = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}")
    spec = live.get("spec", {})
    return (
        not is_terminating(live)
        and not is_finished(live)
        and labels_of(live) == labels_of(obj)
        and json.loads(applied).get("spec") == obj.get("spec")
        and not differences(obj.get("spec"), spec)
        and not spec.get("ephemeralContainers")
    )
