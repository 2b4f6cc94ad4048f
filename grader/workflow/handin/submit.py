"""Export a learner's live objects as manifests for another cluster: what the learner decided, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from grader.causes.owners import WORKLOADS
from grader.cluster.info import ClusterInfo
from grader.criteria.env import Env
from grader.errors import UsageError
from grader.kube.client import KubeApi, connected
from grader.kube.ground import read_record, record_name
from grader.kube.resources import KNOWN
from grader.model.exercise import Exercise
from grader.model.ground import Change, Given, changes, content_of
from grader.model.kubernetes import addresses_of, is_terminating, name_of
from grader.paths import write_atomically
from grader.workflow.ground.apply import LAST_APPLIED
from grader.workflow.ground.learner import current
from grader.workflow.ground.record import given_of, live_given
from grader.workflow.ground.restore import (
    CLUSTERS_OWN,
    differs,
    documents,
    given_keys,
    listed,
    made_by_cluster,
    shown,
)
from grader.workflow.handin.handed import Head, Reference
from grader.workflow.handin.knowing import by_workload, look

Object = Mapping[str, Any]

KEPT_METADATA = ("name", "labels", "annotations")
TOOL_ANNOTATIONS = ("kubectl.kubernetes.io/", "deployment.kubernetes.io/", "endpoints.kubernetes.io/", "metallb.")
FIRST = ("Service", "ConfigMap")
# What acts on traffic or Pods: it goes along although no task asks for it, for it decides the verdict.
BESIDE = (
    "Service",
    "ConfigMap",
    "Pod",
    "Endpoints",
    "EndpointSlice",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "NetworkPolicy",
    "Ingress",
    "HorizontalPodAutoscaler",
    "ResourceQuota",
    "LimitRange",
)
SERVICE_ACCOUNT_VOLUME = "kube-api-access-"
HEADLESS = "None"
POD_ALLOCATED = ("nodeName", "serviceAccount", "serviceAccountName", "tolerations", "priority", "preemptionPolicy")
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
        deleted: the same of given objects that the learner deleted.

    """

    path: Path
    objects: tuple[str, ...]
    deleted: tuple[str, ...] = ()


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
    if result["kind"] == "Pod":
        result["spec"] = _pod(obj)
    return result


def _pod(obj: Object) -> dict[str, Any]:
    """Leave out what the cluster puts into every Pod: its node, its token, and how long it stays on a broken node."""
    spec = {key: deepcopy(value) for key, value in obj.get("spec", {}).items() if key not in POD_ALLOCATED}
    spec["volumes"] = [item for item in spec.get("volumes") or () if not _is_token(item.get("name", ""))]
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        mounts = [item for item in container.get("volumeMounts") or () if not _is_token(item.get("name", ""))]
        container["volumeMounts"] = mounts
        if not mounts:
            del container["volumeMounts"]
    if not spec["volumes"]:
        del spec["volumes"]
    return spec


def _is_token(volume: str) -> bool:
    return volume.startswith(SERVICE_ACCOUNT_VOLUME)


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
    """Tell which nodePorts were written by somebody, and not allocated; None where nothing tells.

    The server notes who wrote a field (managedFields, where `f:nodePort` stands below the key of its port), but not
    what it allocated itself; and what was applied last may have been changed since.
    """
    metadata = obj["metadata"]
    applied = (metadata.get("annotations") or {}).get(LAST_APPLIED)
    written = [(entry.get("fieldsV1") or {}) for entry in metadata.get("managedFields") or ()]
    if applied is None and not written:
        return None
    ports = (yaml.safe_load(applied or "{}").get("spec") or {}).get("ports") or ()
    asked = {port["nodePort"] for port in ports if "nodePort" in port}
    for fields in written:
        by_port = ((fields.get("f:spec") or {}).get("f:ports")) or {}
        for port in obj.get("spec", {}).get("ports") or ():
            key = json.dumps({"port": port.get("port"), "protocol": port.get("protocol", "TCP")}, separators=(",", ":"))
            if "f:nodePort" in (by_port.get(f"k:{key}") or {}):
                asked.add(port.get("nodePort"))
    return frozenset(asked)


def kinds_in(exercise: Exercise, namespace: str) -> tuple[str, ...]:
    """List the kinds that a learner may change in a Namespace of the exercise."""
    return exercise.may_change if namespace == exercise.namespace else exercise.may_change_there.get(namespace, ())


def own_objects(api: KubeApi, exercise: Exercise) -> Iterator[Object]:
    """Give the objects that the learner made, and the given ones that were changed where they may be."""
    given = {given_of(item.content, exercise): item.content for item in documents(exercise)}
    ground = read_record(api, record_name(exercise.id))
    laid = {item.what: item.content for item in (ground.laid if ground else ())}
    for namespace in exercise.all_namespaces:
        kinds = {*kinds_in(exercise, namespace), *BESIDE}
        for resource in KNOWN:
            if resource.kind not in kinds:
                continue
            for obj in listed(api, resource.plural, namespace):
                metadata = obj["metadata"]
                if (resource.plural, metadata["name"]) in CLUSTERS_OWN or metadata.get("deletionTimestamp"):
                    continue
                if metadata.get("ownerReferences") or made_by_cluster(obj):
                    continue
                what = Given(namespace, resource.kind, metadata["name"])
                if (was := given.get(what)) is None:
                    yield obj
                elif (
                    what in exercise.ground.may_differ
                    and laid.get(what) != content_of(obj)
                    and differs(api, obj, was, namespace)
                ):
                    yield obj


def ground_told(api: KubeApi, exercise: Exercise) -> tuple[Change, ...]:
    """Tell how the ground differs from what was laid. Raises ClusterUnreachable, ApiRefused."""
    ground = read_record(api, record_name(exercise.id))
    live = live_given(api, exercise)
    return tuple(
        change
        for laid in (ground.laid if ground else ())
        for change in changes(laid, live.get(laid.what), exercise.ground)
    )


def _key(obj: Object, exercise: Exercise) -> tuple[str, str, str]:
    return str(obj["metadata"].get("namespace") or exercise.namespace), str(obj["kind"]), str(obj["metadata"]["name"])


def _deleted(api: KubeApi, exercise: Exercise) -> Iterator[Reference]:
    """Name the given objects that a learner may change and that are gone."""
    for item in documents(exercise):
        namespace, kind, name = _key(item.content, exercise)
        if kind not in kinds_in(exercise, namespace):
            continue
        live = api.read(api.resource_of(item.content).plural, name, namespace)
        if live is None or is_terminating(live):
            yield Reference(namespace, kind, name)


def _addresses(objects: Iterable[Object], pods: Iterable[Object], exercise: Exercise) -> dict[str, Reference]:
    """Tell which given Pod each address in slices and Endpoints belongs to: elsewhere that Pod has another address."""
    given = given_keys(exercise)
    known = {
        address: Reference(*key, pod=index)
        for key, group in by_workload(pods, exercise).items()
        if key in given
        for index, pod in enumerate(group)
        for address in addresses_of(pod)
    }
    used: list[str] = []
    for obj in objects:
        for item in obj.get("endpoints") or () if obj["kind"] == "EndpointSlice" else ():
            used += item.get("addresses") or ()
        for subset in obj.get("subsets") or () if obj["kind"] == "Endpoints" else ():
            used += [item["ip"] for key in ("addresses", "notReadyAddresses") for item in subset.get(key) or ()]
    return {address: known[address] for address in dict.fromkeys(used) if address in known}


def submit(exercise: Exercise, cluster: ClusterInfo, folder: Path, *, api: KubeApi | None = None) -> SubmitResult:
    """Write the learner's objects of an exercise into `folder/<exercise>.yaml`, with a head for whoever grades it.

    `api` is the cluster's API server, where connections to it are open already.

    Raises UsageError ("nothing-to-submit") where there are none, ClusterUnreachable, OSError.
    """
    with connected(cluster.kubeconfig, api) as server:
        objects = list(own_objects(server, exercise))
        pods = [pod for namespace in exercise.all_namespaces for pod in server.list("pods", namespace)]
        knowing = look(server, exercise, cluster, pods)
        head = Head(
            learner=exercise.learner or current(),
            deleted=tuple(_deleted(server, exercise)),
            restarted=knowing.now,
            outdated=knowing.before,
            addresses=_addresses(objects, pods, exercise),
            ground=ground_told(server, exercise),
        )
    if not objects and not head.deleted and not head.ground:
        facts = {"namespace": exercise.namespace, "kinds": ", ".join(exercise.may_change), "exercise": exercise.id}
        raise UsageError("nothing-to-submit", **facts)
    knew = {(item.namespace, item.kind, item.name) for item in (*knowing.now, *knowing.before)}
    asks = any(isinstance(item.expect, Env) for item in exercise.criteria)
    objects.sort(key=lambda obj: _order(obj, first=asks and _key(obj, exercise) not in knew))
    path = folder / f"{exercise.id}.yaml"
    manifests = (_placed(obj, exercise) for obj in objects)
    text = yaml.dump_all(manifests, Dumper=_Dumper, sort_keys=False, allow_unicode=True) if objects else ""
    write_atomically(path, f"{head}{text}")
    done = [shown(obj["kind"], name_of(obj), obj["metadata"]["namespace"], exercise) for obj in objects]
    return SubmitResult(path, tuple(done), tuple(shown(*_parts(item), exercise) for item in head.deleted))


def _parts(item: Reference) -> tuple[str, str, str]:
    return item.kind, item.name, item.namespace


def _order(obj: Object, *, first: bool) -> tuple[int, str, str, str]:
    """Put Services before Pods, which then know their variables; `first`, workloads before both."""
    metadata = obj["metadata"]
    place = FIRST.index(obj["kind"]) if obj["kind"] in FIRST else len(FIRST)
    return -1 if first and obj["kind"] in WORKLOADS else place, obj["kind"], metadata["namespace"], metadata["name"]


def _placed(obj: Object, exercise: Exercise) -> dict[str, Any]:
    """Clean an object, and say where it is where that is not the exercise's own Namespace."""
    made = clean(obj)
    namespace = obj["metadata"]["namespace"]
    given: Object = next(
        (item.content for item in documents(exercise) if _key(item.content, exercise) == _key(obj, exercise)), {}
    )
    if obj["kind"] == "Service" and (given.get("spec") or {}).get("clusterIP"):
        made["spec"]["clusterIP"] = obj["spec"].get("clusterIP")  # it was not for the cluster to choose
    if obj["kind"] == "Service" and any("nodePort" in port for port in (given.get("spec") or {}).get("ports") or ()):
        for port, live in zip(made["spec"].get("ports") or (), obj["spec"].get("ports") or (), strict=False):
            port |= {key: live[key] for key in ("nodePort",) if key in live}  # nor was this
    if namespace != exercise.namespace:
        name = made["metadata"].pop("name")
        made["metadata"] = {"name": name, "namespace": namespace, **made["metadata"]}
    return made
