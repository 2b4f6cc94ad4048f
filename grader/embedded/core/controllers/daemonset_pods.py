"""The Pods of a DaemonSet: on which nodes they belong, and what they tolerate.

Source: k8s.io/kubernetes/pkg/controller/daemon (daemon_controller.go NodeShouldRunDaemonPod,
util/daemonset_util.go).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.controllers.nodeaffinity import affinity_holds
from grader.embedded.core.controllers.podtemplate import pod_from_template
from grader.embedded.core.controllers.revisions import POD_LABEL
from grader.embedded.core.controllers.scheduler import untolerated
from grader.embedded.core.objects import TEMPLATE_GENERATION, labels_of
from grader.embedded.core.store import Obj

GENERATION_LABEL = "pod-template-generation"
NODE_NAME = "metadata.name"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
_TOLERATED_BY_HOST_NETWORK = (("network-unavailable", "NoSchedule"),)


def belongs_on(daemon_set: Obj, node: Obj) -> tuple[bool, bool]:
    """Whether a Pod should be started on a node, and whether one that is there may stay (NodeShouldRunDaemonPod)."""
    spec = daemon_set["spec"]["template"].get("spec") or {}
    if spec.get("nodeName") not in (None, "", node["metadata"]["name"]) or not affinity_holds(spec, node):
        return False, False
    tolerations = _tolerations(spec)
    if untolerated(tolerations, node, ("NoExecute", "NoSchedule")):
        return False, not untolerated(tolerations, node, ("NoExecute",))
    return True, True


def new_pod(daemon_set: Obj, name: str, node: str, digest: str) -> Obj:
    """A Pod that the scheduler must place on one node (CreatePodTemplate, ReplaceDaemonSetPodNodeNameNodeAffinity).

    Args:
        daemon_set: its DaemonSet.
        name: the Pod's name.
        node: the node's name.
        digest: the hash of the template's revision.

    """
    pod = pod_from_template(daemon_set, name)
    generation = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
    if generation is not None:
        pod["metadata"]["labels"][GENERATION_LABEL] = generation
    pod["metadata"]["labels"][POD_LABEL] = digest
    spec = pod["spec"]
    affinity: dict[str, Any] = spec.get("affinity") or {}
    node_affinity: dict[str, Any] = affinity.get("nodeAffinity") or {}
    terms = [{"matchFields": [{"key": NODE_NAME, "operator": "In", "values": [node]}]}]
    required = {**(node_affinity.get(_REQUIRED) or {}), "nodeSelectorTerms": terms}
    spec["affinity"] = {**affinity, "nodeAffinity": {**node_affinity, _REQUIRED: required}}
    spec["tolerations"] = _tolerations(spec)
    return pod


def target_node(pod: Obj) -> str:
    """The node that a Pod is on or meant for, "" where none is told (GetTargetNodeName)."""
    if node := pod["spec"].get("nodeName"):
        return str(node)
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == NODE_NAME and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def is_updated(daemon_set: Obj, pod: Obj, digest: str) -> bool:
    """Whether the Pod is of the present template (IsPodUpdated)."""
    generation = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
    same = generation is not None and labels_of(pod).get(GENERATION_LABEL) == generation
    return same or labels_of(pod).get(POD_LABEL) == digest


def _tolerations(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The template's tolerations and those that every Pod of a DaemonSet has (AddOrUpdateDaemonPodTolerations)."""
    tolerations = list(spec.get("tolerations") or ())
    for name, effect in (*_TOLERATED, *(_TOLERATED_BY_HOST_NETWORK if spec.get("hostNetwork") else ())):
        new = {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
        kept = [item for item in tolerations if {k: v for k, v in item.items() if k != "tolerationSeconds"} != new]
        if len(kept) == len(tolerations):
            tolerations.append(new)
        else:
            same = {id(item) for item in kept}
            tolerations = [item if id(item) in same else new for item in tolerations]
    return tolerations
