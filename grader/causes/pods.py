"""What state a Pod is in: ready, on its way, or broken for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from grader.model.kubernetes import is_ready
from grader.model.objects import RawObject

# Reasons of a waiting container that do not pass by themselves (pkg/kubelet/images/types.go, container/sync_result.go).
STUCK = frozenset(
    {
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "CrashLoopBackOff",
        "RunContainerError",
    }
)
IMAGE = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
UNSCHEDULABLE_SECONDS = 5.0  # it may wait for a Pod that is just going; after that its reason is told
SLACK_SECONDS = 5.0  # beside the probe's own fields, for the kubelet to begin and to report
LEAST_SLACK_SECONDS = 1.0  # timestamps are whole seconds, whatever the pace


class State(Enum):
    """How a Pod stands."""

    READY = "ready"
    MOVING = "moving"
    BROKEN = "broken"


@dataclass(frozen=True)
class PodState:
    """How a Pod stands, and why.

    Attributes:
        state: ready, on its way, or broken for good.
        reason: Kubernetes' own word: "CrashLoopBackOff", "Unschedulable", "Unready", "ContainerCreating".
        image: the image of the container that is stuck, "" where it is not about an image.
    """

    state: State
    reason: str = ""
    image: str = ""


def state_of(pod: RawObject, now: datetime, pace: float = 1.0) -> PodState:
    """Decide how a Pod stands, from its conditions and container states; `pace` is Evidence.pace."""
    if is_ready(pod):
        return PodState(State.READY)
    status, spec = pod.get("status", {}), pod.get("spec", {})
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = str(condition.get("reason") or "Unschedulable")
            since = _seconds(condition.get("lastTransitionTime"), now)
            return PodState(State.BROKEN if since > UNSCHEDULABLE_SECONDS else State.MOVING, reason)
    images = {item.get("name"): str(item.get("image", "")) for item in spec.get("containers") or ()}
    statuses = status.get("containerStatuses") or ()
    for item in statuses:
        reason = str((item.get("state", {}).get("waiting") or {}).get("reason") or "")
        if reason in STUCK:
            return PodState(State.BROKEN, reason, images.get(item.get("name"), "") if reason in IMAGE else "")
        if reason:
            return PodState(State.MOVING, reason)
    for item, container in zip(statuses, spec.get("containers") or (), strict=False):
        probe = container.get("readinessProbe")
        started = (item.get("state", {}).get("running") or {}).get("startedAt")
        if probe and started and not item.get("ready") and _seconds(started, now) > _patience(probe, pace):
            return PodState(State.BROKEN, "Unready")
    return PodState(State.MOVING, str(status.get("phase") or "Pending"))


def stopped_by(pod: RawObject) -> str:
    """Name the probe that stops the containers of a Pod while it gets ready; "" where none does.

    One of a container that was started again already; or a liveness probe that asks the very thing that the readiness
    probe asks, which fails still (pkg/kubelet/prober/worker.go: a container that fails it is killed; it is not asked
    before a startup probe, which may be patient, has succeeded).
    """
    again = {
        item.get("name") for item in pod.get("status", {}).get("containerStatuses") or () if item.get("restartCount")
    }
    for container in pod.get("spec", {}).get("containers") or ():
        ready, live, start = (_handler(container.get(f"{kind}Probe")) for kind in ("readiness", "liveness", "startup"))
        if start and container.get("name") in again:
            return "startupProbe"
        if live and not start and (live == ready or container.get("name") in again):
            return "livenessProbe"
    return ""


def _handler(probe: RawObject | None) -> RawObject:
    return {key: value for key, value in (probe or {}).items() if key in ("httpGet", "tcpSocket", "grpc", "exec")}


def _patience(probe: RawObject, pace: float) -> float:
    """Seconds in which a readiness probe that will ever succeed has (defaults: pkg/apis/core/v1/defaults.go)."""
    slack = max(SLACK_SECONDS * pace, LEAST_SLACK_SECONDS)
    tries = int(probe.get("failureThreshold", 3)) + int(probe.get("successThreshold", 1))
    each = max(int(probe.get("periodSeconds", 10)), int(probe.get("timeoutSeconds", 1)))
    return int(probe.get("initialDelaySeconds", 0)) + tries * each + slack


def _seconds(since: object, now: datetime) -> float:
    if not since:
        return 0.0
    return (now - datetime.fromisoformat(str(since))).total_seconds()
