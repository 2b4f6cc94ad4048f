"""Export a learner's live objects as manifests for another cluster: what the learner decided, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from grader.cluster.info import ClusterInfo
from grader.errors import UsageError
from grader.kube.client import KubeApi
from grader.kube.resources import KNOWN
from grader.model.exercise import Exercise
from grader.paths import write_atomically
from grader.workflow.manifests import read_documents
from grader.workflow.restore import CLUSTERS_OWN

Object = Mapping[str, Any]

KEPT_METADATA = ("name", "labels", "annotations")
TOOL_ANNOTATIONS = ("kubectl.kubernetes.io/", "deployment.kubernetes.io/", "endpoints.kubernetes.io/", "metallb.")
HEADLESS = "None"
SERVICE_ALLOCATED = ("clusterIPs", "healthCheckNodePort")
SERVICE_DEFAULTS: Mapping[str, Any] = {
    # pkg/apis/core/v1/defaults.go, SetDefaults_Service, of an IPv4 cluster
    "sessionAffinity": "None",
    "type": "ClusterIP",
    "internalTrafficPolicy": "Cluster",
    "externalTrafficPolicy": "Cluster",
    "allocateLoadBalancerNodePorts": True,
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}


@dataclass(frozen=True)
class SubmitResult:
    """What was exported.

    Attributes:
        path: the file.
        objects: "Service/backend-service", in the order of the file.

    """

    path: Path
    objects: tuple[str, ...]


class _Dumper(yaml.SafeDumper):
    """Writes lists indented under their key, as people write manifests."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def clean(obj: Object) -> dict[str, Any]:
    """Keep of a live object what its author decided: no status, nothing that the cluster allocated or defaulted.

    A nodePort stays (it is part of some tasks) where the Service was applied with it, or nothing tells.
    """
    kept = deepcopy(dict(obj))
    for key in ("status", "metadata"):
        kept.pop(key, None)
    metadata = {key: deepcopy(obj["metadata"][key]) for key in KEPT_METADATA if obj["metadata"].get(key)}
    if annotations := metadata.pop("annotations", None):
        own = {key: text for key, text in annotations.items() if not key.startswith(TOOL_ANNOTATIONS)}
        metadata |= {"annotations": own} if own else {}
    result = {"apiVersion": kept.pop("apiVersion"), "kind": kept.pop("kind"), "metadata": metadata, **kept}
    if result["kind"] == "Service":
        result["spec"] = _service(obj)
    return result


def _service(obj: Object) -> dict[str, Any]:
    spec = {key: deepcopy(value) for key, value in obj.get("spec", {}).items() if key not in SERVICE_ALLOCATED}
    if spec.get("clusterIP") != HEADLESS:
        spec.pop("clusterIP", None)
    for key, default in SERVICE_DEFAULTS.items():
        if spec.get(key) == default:
            del spec[key]
    asked = _asked_node_ports(obj)
    for port in spec.get("ports") or ():
        if port.get("protocol") == "TCP":
            del port["protocol"]
        if asked is not None and port.get("nodePort") not in asked:
            port.pop("nodePort", None)
    return spec


def _asked_node_ports(obj: Object) -> frozenset[int] | None:
    """Tell which nodePorts the learner wrote, from what was applied last; None where nothing tells."""
    applied = (obj["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/last-applied-configuration")
    if applied is None:
        return None
    ports = (yaml.safe_load(applied).get("spec") or {}).get("ports") or ()
    return frozenset(port["nodePort"] for port in ports if "nodePort" in port)


def own_objects(api: KubeApi, exercise: Exercise) -> Iterator[Object]:
    """Give the objects of the kinds that a learner may change, but for what was given and what controllers made."""
    given = {(item.content["kind"], item.content["metadata"]["name"]) for item in read_documents(exercise.given)}
    for resource in KNOWN:
        if resource.kind not in exercise.may_change:
            continue
        for obj in api.list(resource.plural, exercise.namespace):
            metadata = obj["metadata"]
            untouched = (obj["kind"], metadata["name"]) in given or (resource.plural, metadata["name"]) in CLUSTERS_OWN
            if untouched or metadata.get("ownerReferences") or metadata.get("deletionTimestamp"):
                continue
            yield obj


def submit(exercise: Exercise, cluster: ClusterInfo, folder: Path) -> SubmitResult:
    """Write the learner's objects of an exercise into `folder/<exercise>.yaml`.

    Raises UsageError ("nothing-to-submit") where there are none, ClusterUnreachable, OSError.
    """
    with KubeApi(cluster.kubeconfig) as api:
        objects = sorted(own_objects(api, exercise), key=lambda obj: (obj["kind"], obj["metadata"]["name"]))
    if not objects:
        facts = {"namespace": exercise.namespace, "kinds": ", ".join(exercise.may_change), "exercise": exercise.id}
        raise UsageError("nothing-to-submit", **facts)
    path = folder / f"{exercise.id}.yaml"
    text = yaml.dump_all(map(clean, objects), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    write_atomically(path, text)
    return SubmitResult(path, tuple(f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects))
