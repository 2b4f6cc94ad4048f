"""The record of the ground: what `start` and `reset` laid, and what of the cluster itself verdicts rest on.

It is kept in ConfigMaps of the course's own Namespace, where no exercise takes place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from grader.kube.client import ApiRefused, KubeApi
from grader.kube.resources import KNOWN
from grader.model.ground import NODE, Change, Given, Ground, GroundRule, Laid, changes, content_of
from grader.model.kubernetes import name_of, uid_of
from grader.model.vantage import PROBE_NAMESPACE

RECORD_KEY = "ground.json"
CLUSTER_RECORD = "ground-of-the-cluster"
CLUSTERS_CONFIG = ("coredns", "kube-proxy")
SYSTEM_NAMESPACE = "kube-system"
KINDS = {resource.kind: resource.plural for resource in KNOWN}


def record_name(exercise: str) -> str:
    """Name the ConfigMap that holds an exercise's record."""
    return f"ground-{exercise}"


def read_record(api: KubeApi, name: str) -> Ground | None:
    """Read a record, None where there is none that can be read. Raises ClusterUnreachable."""
    try:
        found = api.read("configmaps", name, PROBE_NAMESPACE)
        return Ground.from_json(json.loads(found["data"][RECORD_KEY])) if found else None
    except (ApiRefused, ValueError, KeyError, TypeError):  # hidden on a shared cluster, or not of our writing
        return None


def write_record(api: KubeApi, name: str, ground: Ground) -> None:
    """Keep a record. Raises ApiRefused, ClusterUnreachable."""
    text = json.dumps(asdict(ground), ensure_ascii=False, separators=(",", ":"))
    metadata = {"name": name, "namespace": PROBE_NAMESPACE}
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {RECORD_KEY: text}})


def joined(own: Ground | None, cluster: Ground | None) -> Ground | None:
    """Make one record of an exercise's and the cluster's; None where there is no exercise's."""
    if own is None:
        return None
    return replace(own, laid=(*own.laid, *(cluster.laid if cluster else ())))


def resources_of(ground: Ground) -> tuple[tuple[str, str], ...]:
    """List resource and Namespace of what an exercise laid."""
    return tuple({(KINDS[item.what.kind], item.what.namespace): None for item in ground.laid})


def record_cluster(api: KubeApi) -> Ground:
    """Record what of the cluster itself verdicts rest on, unless that was done before.

    That are the nodes' labels, taints and cordons, the Corefile, and kube-proxy's configuration. Raises ApiRefused,
    ClusterUnreachable.
    """
    known = read_record(api, CLUSTER_RECORD)
    if known is None:
        known = Ground(tuple(_laid(item) for item in _cluster_objects(api)))
        write_record(api, CLUSTER_RECORD, known)
    return known


def _cluster_objects(api: KubeApi) -> list[Mapping[str, Any]]:
    configs = (api.read("configmaps", name, SYSTEM_NAMESPACE) for name in CLUSTERS_CONFIG)
    return [*api.list("nodes"), *({**item, "kind": "ConfigMap"} for item in configs if item)]


def _laid(obj: Mapping[str, Any]) -> Laid:
    what = Given(str(obj["metadata"].get("namespace") or ""), str(obj["kind"]), name_of(obj))
    return Laid(what, uid_of(obj), content_of(obj))


def restore_cluster(api: KubeApi) -> tuple[Change, ...]:
    """Give the cluster itself back what was recorded of it; tell what was changed back.

    A node that was taken away cannot be brought back here. Raises ApiRefused, ClusterUnreachable.
    """
    known = read_record(api, CLUSTER_RECORD)
    live = {(str(item["kind"]), name_of(item)): item for item in _cluster_objects(api)} if known else {}
    found: list[Change] = []
    for laid in known.laid if known else ():
        obj = live.get((laid.what.kind, laid.what.name))
        different = tuple(changes(laid, obj, GroundRule()))
        if obj is None or not different:
            continue
        found += different
        path = api.resource_of({"apiVersion": "v1", **obj}).path(laid.what.namespace or None, laid.what.name)
        api.patch(path, _patch_to(laid, obj))
    return tuple(found)


def _patch_to(laid: Laid, obj: Mapping[str, Any]) -> dict[str, Any]:
    """Write the merge patch (RFC 7396) that makes an object what was laid; null takes a key away."""
    patch: dict[str, Any] = {"metadata": {}}
    before = laid.content["metadata"]
    for key in ("labels", "annotations"):
        now = content_of(obj)["metadata"][key]
        patch["metadata"][key] = {**dict.fromkeys(now), **before[key]}
    for key in ("data", "binaryData", "spec"):
        if key in laid.content:
            now = obj.get(key) or {}
            gone = {} if laid.what.kind == NODE else dict.fromkeys(now)
            patch[key] = {**gone, **laid.content[key]}
        elif key in obj:
            patch[key] = None
    return patch
