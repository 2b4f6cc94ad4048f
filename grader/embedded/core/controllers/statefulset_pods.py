"""The Pods of a StatefulSet: their ordinals and what makes them who they are.

Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go.
"""

from __future__ import annotations

import re
from typing import Any

from grader.embedded.core.controllers.podtemplate import pod_from_template
from grader.embedded.core.controllers.revisions import POD_LABEL, restored
from grader.embedded.core.objects import is_deleting, is_pod_available, is_pod_ready, labels_of
from grader.embedded.core.storage import claim_suffix, with_claims
from grader.embedded.core.store import Obj

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-([0-9]+)$", re.ASCII)
_LARGEST = 2**31 - 1


def parent_and_ordinal(pod: Obj) -> tuple[str, int]:
    """The StatefulSet and the ordinal that a Pod's name speaks of; "" and -1 where it speaks of none."""
    found = _NAME.match(pod["metadata"]["name"])
    if found is None:
        return "", -1
    ordinal = int(found[2])
    return found[1], ordinal if ordinal <= _LARGEST else -1


def ordinal_of(pod: Obj) -> int:
    """The ordinal in a Pod's name, -1 where there is none."""
    return parent_and_ordinal(pod)[1]


def is_member(stateful_set: Obj, pod: Obj) -> bool:
    """Whether the Pod's name is one that the StatefulSet gives."""
    return bool(parent_and_ordinal(pod)[0] == stateful_set["metadata"]["name"])


def ordinals(stateful_set: Obj) -> range:
    """The ordinals that there should be."""
    spec = stateful_set["spec"]
    start = (spec.get("ordinals") or {}).get("start", 0)
    return range(start, start + spec.get("replicas", 1))


def revision_of(pod: Obj) -> str:
    """The name of the revision that a Pod was made of."""
    return labels_of(pod).get(POD_LABEL, "")


def is_created(pod: Obj) -> bool:
    """Whether the Pod is stored, and not only thought of."""
    return bool((pod.get("status") or {}).get("phase"))


def is_running_and_ready(pod: Obj) -> bool:
    """Whether the Pod runs and its Ready condition is True."""
    return (pod.get("status") or {}).get("phase") == "Running" and is_pod_ready(pod)


def is_unavailable(stateful_set: Obj, pod: Obj, now: float) -> bool:
    """Whether the Pod is not available, or is about to go."""
    return not is_pod_available(pod, stateful_set["spec"].get("minReadySeconds") or 0, now) or is_deleting(pod)


def has_identity(stateful_set: Obj, pod: Obj) -> bool:
    """Whether the Pod carries the name, and the label of it, that it should (identityMatches)."""
    name = pod["metadata"]["name"]
    parent, ordinal = parent_and_ordinal(pod)
    own = f"{stateful_set['metadata']['name']}-{ordinal}"
    return ordinal >= 0 and parent == stateful_set["metadata"]["name"] and name == own == labels_of(pod).get(NAME_LABEL)


def identity(stateful_set: Obj, ordinal: int) -> dict[str, str]:
    """The labels that tell a Pod from its siblings (updateIdentity)."""
    return {NAME_LABEL: f"{stateful_set['metadata']['name']}-{ordinal}", INDEX_LABEL: str(ordinal)}


def new_pod(stateful_set: Obj, current: Obj, update: Obj, ordinal: int) -> Obj:
    """The Pod of an ordinal, of the revision that is its turn (newVersionedStatefulSetPod, initIdentity).

    Args:
        stateful_set: its StatefulSet.
        current: the revision that is being left.
        update: the revision that is being reached.
        ordinal: which Pod.

    """
    revision = current if _stays(stateful_set, ordinal) else update
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    pod = pod_from_template(restored(stateful_set, revision), name)
    pod["metadata"]["labels"] |= {POD_LABEL: revision["metadata"]["name"], **identity(stateful_set, ordinal)}
    spec: dict[str, Any] = {**pod["spec"], "hostname": name}
    spec.pop("subdomain", None)
    if service := stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = service
    if stateful_set["spec"].get("volumeClaimTemplates"):
        suffix = claim_suffix(stateful_set, ordinal)
        spec["volumes"] = with_claims(stateful_set["spec"], spec.get("volumes") or [], suffix)
    return {**pod, "spec": spec}


def _stays(stateful_set: Obj, ordinal: int) -> bool:
    """Whether a Pod that must be made anew is still of the revision that is being left."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate")
    start = ordinals(stateful_set).start
    if rolling is not None:
        return ordinal < start + int(rolling.get("partition") or 0)
    held = (stateful_set.get("status") or {}).get("currentReplicas", 0)
    return strategy.get("type") == "RollingUpdate" and ordinal < start + held
