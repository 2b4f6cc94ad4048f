"""From what a kubelet knows of its containers to the status of a Pod: pure.

Source: k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses) and
pkg/kubelet/status/generate.go. The fields present are those that a kubelet 1.36 with containerd writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from grader.embedded.core.store import Obj, timestamp

Kind = Literal["init", "main", "ephemeral"]


@dataclass
class ContainerState:
    """What a kubelet knows of one container.

    Attributes:
        spec: its part of the Pod's spec.
        kind: which list of the spec it is in.
        state: `waiting`, `running` or `terminated`, as in the API.
        last: the last termination, {} before one.
        restarts: how often it was started again.
        container_id: the id of the present or last run, "" before the first.
        started: whether its startup probe has passed, or it has none and runs.
        probed_ready: the result of the readiness probe; True where it has none.

    """

    spec: dict[str, Any]
    kind: Kind = "main"
    state: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    container_id: str = ""
    started: bool = False
    probed_ready: bool = False

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def is_sidecar(self) -> bool:
        """Whether it is an init container that keeps running."""
        return self.kind == "init" and self.spec.get("restartPolicy") == "Always"

    @property
    def ready(self) -> bool:
        """The `ready` of its status; an ephemeral container has none (prober_manager.go UpdatePodStatus)."""
        if self.kind == "ephemeral":
            return False
        if self.kind == "init" and not self.is_sidecar:
            return self.succeeded
        return "running" in self.state and self.started and self.probed_ready

    @property
    def succeeded(self) -> bool:
        """Whether it has ended with exit code 0."""
        return bool(self.state.get("terminated", {}).get("exitCode", 1) == 0)


def image_id(image: str) -> str:
    """An image ID for a reference: always the same for the same reference."""
    return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def full_image_name(image: str) -> str:
    """The reference as containerd reports it: with registry and tag."""
    name, _, digest = image.partition("@")
    first, _, rest = name.partition("/")
    if not rest:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    if digest:
        return f"{name}@{digest}"
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def container_status(held: ContainerState) -> dict[str, Any]:
    """One entry of containerStatuses, initContainerStatuses or ephemeralContainerStatuses."""
    image = held.spec.get("image", "")
    ran = bool(held.container_id)
    status: dict[str, Any] = {
        "name": held.name,
        "state": held.state,
        "lastState": held.last,
        "ready": held.ready,
        "restartCount": held.restarts,
        "image": full_image_name(image) if ran else image,
        "imageID": image_id(image) if ran else "",
    }
    if held.kind != "ephemeral":
        status["started"] = held.started if "running" in held.state else False
    if ran:
        status["containerID"] = held.container_id
        status["resources"] = dict(held.spec.get("resources") or {})
        status["user"] = {"linux": {"uid": 0, "gid": 0, "supplementalGroups": [0]}}
    mounts = held.spec.get("volumeMounts") or ()
    if mounts:
        status["volumeMounts"] = [
            {
                "name": mount["name"],
                "mountPath": mount["mountPath"],
                **({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {}),
            }
            for mount in mounts
        ]
    return status


def phase_of(pod: Obj, init: list[ContainerState], main: list[ContainerState]) -> str:
    """kubelet_pods.go getPhase."""
    policy = pod["spec"].get("restartPolicy", "Always")
    pending_init = failed_init = 0
    for held in init:
        if held.is_sidecar:
            pending_init += not held.started
        elif held.succeeded:
            continue
        elif "terminated" in held.state or held.last:
            if policy == "Never":
                failed_init += 1
            pending_init += policy != "Never"
        else:
            pending_init += 1
    if failed_init:
        return "Failed"
    running = waiting = stopped = succeeded = 0
    for held in main:
        if "running" in held.state:
            running += 1
        elif "terminated" in held.state:
            stopped += 1
            succeeded += held.succeeded
        elif held.last:
            stopped += 1
        else:
            waiting += 1
    if pending_init or waiting:
        return "Pending"
    if running:
        return "Running"
    if policy == "Always":
        return "Running"
    if stopped == succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def pod_status(
    pod: Obj,
    init: list[ContainerState],
    main: list[ContainerState],
    *,
    host_ip: str,
    ip: str,
    start: float,
    sandbox: bool,
    now: float,
    ephemeral: Sequence[ContainerState] = (),
    failure: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The whole status.

    Args:
        pod: the Pod as stored.
        init: its init containers.
        main: its containers.
        host_ip: address of the node.
        ip: address of the Pod, "" before it has one.
        start: seconds since the epoch when the kubelet took it.
        sandbox: whether the Pod's network exists.
        now: seconds since the epoch.
        ephemeral: its ephemeral containers.
        failure: reason and message with which the kubelet ends it. It is not ready from then on, and Failed when
            its containers have ended (status_manager.go mergePodStatus).

    """
    before = pod.get("status") or {}
    generation = pod["metadata"].get("generation", 1)
    phase = phase_of(pod, init, main) if failure is None else "Failed"
    ended = failure is not None and not any("running" in held.state for held in (*init, *main, *ephemeral))
    initialized = all(held.succeeded or (held.is_sidecar and held.started) for held in init)
    conditions = []
    for type_, value, reason, message in (
        ("PodReadyToStartContainers", sandbox, "", ""),
        ("Initialized", initialized or phase == "Succeeded", *_not_initialized(init, phase)),
        ("Ready", *_readiness(pod, init, main, phase, gates=True)),
        ("ContainersReady", *_readiness(pod, init, main, phase, gates=False)),
    ):
        conditions.append(_condition(before, type_, value, reason, message, generation, now))
    scheduled = next((c for c in before.get("conditions") or () if c["type"] == "PodScheduled"), None)
    if scheduled is not None:
        conditions.append({**scheduled, "observedGeneration": generation})
    else:
        conditions.append(_condition(before, "PodScheduled", True, "", "", generation, now))
    own = {condition["type"] for condition in conditions}
    conditions += [c for c in before.get("conditions") or () if c["type"] not in own]
    status: dict[str, Any] = {
        "phase": phase if failure is None or ended else before.get("phase", "Pending"),
        "observedGeneration": generation,
        "conditions": conditions,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": timestamp(start),
        "containerStatuses": [container_status(held) for held in sorted(main, key=lambda held: held.name)],
        "qosClass": before.get("qosClass", "BestEffort"),
    }
    if failure is not None and ended:
        status["reason"], status["message"] = failure
    if ip:
        status["podIP"] = ip
        status["podIPs"] = [{"ip": ip}]
    if init:
        status["initContainerStatuses"] = [container_status(held) for held in init]
    if ephemeral:
        by_name = sorted(ephemeral, key=lambda held: held.name)
        status["ephemeralContainerStatuses"] = [container_status(held) for held in by_name]
    return status


def _not_initialized(init: list[ContainerState], phase: str) -> tuple[str, str]:
    if phase == "Succeeded":
        return "PodCompleted", ""
    waiting = [h.name for h in init if not (h.succeeded or (h.is_sidecar and h.started))]
    if not waiting:
        return "", ""
    return "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]"


def _readiness(
    pod: Obj, init: list[ContainerState], main: list[ContainerState], phase: str, *, gates: bool
) -> tuple[bool, str, str]:
    """Generate.go GenerateContainersReadyCondition and GeneratePodReadyCondition."""
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    unready = [h.name for h in [*(i for i in init if i.is_sidecar), *main] if not h.ready]
    if unready:
        return False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    if gates:
        missing = [
            gate["conditionType"]
            for gate in pod["spec"].get("readinessGates") or ()
            if not _gate_open(pod, gate["conditionType"])
        ]
        if missing:
            message = f'corresponding condition of pod readiness gate "{missing[0]}" does not exist.'
            return False, "ReadinessGatesNotReady", message
    return True, "", ""


def _gate_open(pod: Obj, type_: str) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == type_ and c["status"] == "True" for c in conditions)


def _condition(
    before: dict[str, Any], type_: str, value: bool, reason: str, message: str, generation: int, now: float
) -> dict[str, Any]:
    status = "True" if value else "False"
    old = next((c for c in before.get("conditions") or () if c["type"] == type_), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else timestamp(now)
    new: dict[str, Any] = {
        "type": type_,
        "status": status,
        "observedGeneration": generation,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    return new
