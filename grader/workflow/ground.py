"""The ground an exercise stands on: namespace, given workload, probe Pod; and clearing away what a learner made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from grader.cluster.info import ClusterInfo
from grader.cluster.probes import probe
from grader.errors import EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.model.evidence import Action, ManifestResult
from grader.model.exercise import Exercise
from grader.model.kubernetes import CONTROLLER, MANAGED_BY_LABEL, is_terminating, labels_of, name_of
from grader.model.questions import PROBE_POD
from grader.observe import Target
from grader.workflow.apply import apply_document, replace
from grader.workflow.manifests import Document, read_documents

CLEARED = (
    "services",
    "endpointslices",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "pods",
    "configmaps",
)
CLUSTERS_OWN = frozenset({("configmaps", "kube-root-ca.crt"), ("pods", PROBE_POD)})


def target(cluster: ClusterInfo, api: KubeApi) -> Target:
    """Describe a cluster to the observer."""
    label = f"{cluster.provider.value} {cluster.version}"
    return Target(api, label, cluster.outside, cluster.host_ports, cluster.host_ports_path, cluster.pace)


def ensure_namespace(api: KubeApi, namespace: str) -> None:
    """Create the namespace where it is missing. Raises ApiRefused, ClusterUnreachable."""
    create_missing(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})


def ensure_probe(api: KubeApi, namespace: str) -> bool:
    """Create the probe Pod where it is missing or finished; tell whether it was. Raises as `create_missing`."""
    live = api.read("pods", PROBE_POD, namespace)
    if live is not None and live.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        api.delete("pods", PROBE_POD, namespace, grace_seconds=0)
    elif live is not None:
        return False
    wanted = probe("")
    del wanted["spec"]["nodeName"]
    wanted["metadata"] = {"name": PROBE_POD, "namespace": namespace}
    return create_missing(api, wanted)


def create_missing(api: KubeApi, obj: Mapping[str, Any]) -> bool:
    """Create an object; tell False where it was there. Raises ApiRefused for other refusals, ClusterUnreachable."""
    try:
        api.create(obj)
    except ApiRefused as error:
        if error.reason == "AlreadyExists":
            return False
        raise
    return True


def apply_given(api: KubeApi, exercise: Exercise) -> tuple[ManifestResult, ...]:
    """Apply the given workload. Raises EnvironmentError_ ("given-refused") where the server refuses it."""
    results = tuple(apply_document(api, item, exercise.namespace) for item in read_documents(exercise.given))
    for item in results:
        if item.action is Action.REFUSED:
            raise EnvironmentError_(
                "given-refused",
                exercise=exercise.id,
                object=f"{item.kind}/{item.name}",
                reason=item.status.get("message"),
            )
    return results


def clear(api: KubeApi, exercise: Exercise) -> tuple[str, ...]:
    """Delete what does not belong to the given workload, and make that exactly as given; tell what was deleted.

    Raises ClusterUnreachable, EnvironmentError_ ("given-refused").
    """
    documents = read_documents(exercise.given)
    given = {(str(item.content["kind"]), str(item.content["metadata"]["name"])) for item in documents}
    templates = {
        str(item.content["metadata"]["name"]): item.content["spec"]["template"]["metadata"]["labels"]
        for item in documents
        if item.content["kind"] == "Deployment"
    }
    removed = []
    for plural in CLEARED:
        for obj in api.list(plural, exercise.namespace):
            if (plural, name_of(obj)) in CLUSTERS_OWN or (obj["kind"], name_of(obj)) in given or is_terminating(obj):
                continue
            if not _strays(obj, templates):
                continue
            grace = 0 if plural == "pods" else None
            api.delete(plural, name_of(obj), exercise.namespace, grace_seconds=grace)
            removed.append(f"{obj['kind']}/{name_of(obj)}")
    for item in documents:
        _restore(api, item, exercise)
    return tuple(removed)


def _strays(obj: Object, templates: Mapping[str, Mapping[str, str]]) -> bool:
    """Tell whether an object is the learner's: nobody's child, or a child whose labels were changed."""
    if labels_of(obj).get(MANAGED_BY_LABEL) == CONTROLLER:
        return False
    owners = obj["metadata"].get("ownerReferences") or ()
    if not owners:
        return True
    if obj["kind"] != "Pod":
        return False
    own = {key: value for key, value in labels_of(obj).items() if key != "pod-template-hash"}
    mine = [labels for name, labels in templates.items() if owners[0]["name"].rpartition("-")[0] == name]
    return bool(mine) and own != mine[0]


def _restore(api: KubeApi, item: Document, exercise: Exercise) -> None:
    try:
        replace(api, item.content, exercise.namespace)
    except ApiRefused as error:
        kind, name = str(item.content["kind"]), str(item.content["metadata"]["name"])
        raise EnvironmentError_(
            "given-refused", exercise=exercise.id, object=f"{kind}/{name}", reason=error.message
        ) from error


def given_ready(api: KubeApi, exercise: Exercise) -> bool:
    """Tell whether every given Deployment has all its Pods ready, and the namespace holds no terminating Pod."""
    deployments = api.list("deployments", exercise.namespace)
    names = {item["metadata"]["name"] for item in yaml.safe_load_all(exercise.given) if item["kind"] == "Deployment"}
    settled = [
        item
        for item in deployments
        if item.get("status", {}).get("observedGeneration") == item["metadata"].get("generation")
        and item.get("status", {}).get("readyReplicas", 0) == item["spec"].get("replicas", 1)
        and item.get("status", {}).get("replicas", 0) == item["spec"].get("replicas", 1)
    ]
    if not names <= {name_of(item) for item in settled}:
        return False
    pods = api.list("pods", exercise.namespace)
    return not any(is_terminating(pod) for pod in pods) and any(
        name_of(pod) == PROBE_POD and pod.get("status", {}).get("phase") == "Running" for pod in pods
    )
