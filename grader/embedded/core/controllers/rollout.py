"""The arithmetic of rolling updates: pure functions over a Deployment and its ReplicaSets.

Source: k8s.io/kubernetes/pkg/controller/deployment (rolling.go, sync.go, progress.go, util/deployment_util.go).
"""

from __future__ import annotations

import math
from typing import Any

from grader.embedded.core.objects import condition, parse_time, set_condition, uid_of
from grader.embedded.core.store import Obj, timestamp

Status = dict[str, Any]


def replicas_of(obj: Obj) -> int:
    """What the spec asks for."""
    return int(obj["spec"].get("replicas", 1))


def _number(replica_set: Obj, field: str) -> int:
    return int((replica_set.get("status") or {}).get(field) or 0)


def resolve(value: int | str, total: int, *, up: bool) -> int:
    """A number, or a percentage of a total (k8s.io/apimachinery/pkg/util/intstr GetScaledValueFromIntOrPercent)."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * total / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value)


def _limits(deployment: Obj) -> tuple[int, int]:
    """Surge and unavailable, as numbers (deployment_util.go ResolveFenceposts)."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    total = replicas_of(deployment)
    surge = resolve(rolling.get("maxSurge", "25%"), total, up=True)
    unavailable = resolve(rolling.get("maxUnavailable", "25%"), total, up=False)
    return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def max_surge(deployment: Obj) -> int:
    """How many Pods more than asked for there may be."""
    return _limits(deployment)[0]


def max_unavailable(deployment: Obj) -> int:
    """How many of the Pods asked for may be unavailable."""
    return min(_limits(deployment)[1], replicas_of(deployment))


def new_size(deployment: Obj, sets: list[Obj], newest: Obj | None) -> int:
    """How large the newest ReplicaSet may be now (deployment_util.go NewRSNewReplicas)."""
    wanted = replicas_of(deployment)
    now = replicas_of(newest) if newest is not None else 0
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        # a first rollout, or one whose old Pods are gone, starts at once; otherwise the controller scales it later
        others = [item for item in sets if newest is None or uid_of(item) != uid_of(newest)]
        busy = any(replicas_of(item) or _number(item, "replicas") for item in others)
        return now if busy else wanted
    if now >= wanted:
        return wanted
    total = sum(replicas_of(item) for item in sets)
    allowed = wanted + max_surge(deployment)
    return now if total >= allowed else now + min(allowed - total, wanted - now)


def shrink_old(deployment: Obj, sets: list[Obj], newest: Obj) -> list[tuple[Obj, int]]:
    """Old ReplicaSets to scale down now, with their new sizes (rolling.go reconcileOldReplicaSets)."""
    old = [item for item in sets if uid_of(item) != uid_of(newest) and replicas_of(item) > 0]
    sizes = {uid_of(item): replicas_of(item) for item in old}
    minimum = replicas_of(deployment) - max_unavailable(deployment)
    newest_unavailable = replicas_of(newest) - _number(newest, "availableReplicas")
    spare = sum(sizes.values()) + replicas_of(newest) - minimum - newest_unavailable
    if not old or spare <= 0:
        return []
    for item in old:  # unhealthy ones first: they cost no availability
        unhealthy = sizes[uid_of(item)] - _number(item, "availableReplicas")
        down = max(0, min(spare, unhealthy))
        sizes[uid_of(item)] -= down
        spare -= down
    spare = sum(_number(item, "availableReplicas") for item in sets) - minimum
    for item in old:
        down = max(0, min(spare, sizes[uid_of(item)]))
        sizes[uid_of(item)] -= down
        spare -= down
    return [(item, sizes[uid_of(item)]) for item in old if sizes[uid_of(item)] != replicas_of(item)]


def proportional(deployment: Obj, sets: list[Obj], newest: Obj | None) -> list[tuple[Obj, int]]:
    """New sizes after the Deployment was scaled (sync.go scale)."""
    wanted = replicas_of(deployment)
    active = [item for item in sets if replicas_of(item) > 0]
    if len(active) <= 1:
        target = active[0] if active else newest or (sets[-1] if sets else None)
        return [(target, wanted)] if target is not None and replicas_of(target) != wanted else []
    if newest is not None and _number(newest, "availableReplicas") == replicas_of(newest) == wanted:
        return [(item, 0) for item in active if uid_of(item) != uid_of(newest)]
    allowed = wanted + max_surge(deployment) if wanted else 0
    total = sum(replicas_of(item) for item in active)
    missing = allowed - total
    by_size = sorted(active, key=replicas_of, reverse=True)
    result: list[tuple[Obj, int]] = []
    left = missing
    for item in by_size:
        share = round(replicas_of(item) * allowed / total) - replicas_of(item) if total else 0
        share = min(share, left) if missing > 0 else max(share, left)
        result.append((item, max(0, replicas_of(item) + share)))
        left -= share
    if left and result:
        item, size = result[0]
        result[0] = (item, max(0, size + left))
    return result


def progress_condition(deployment: Obj | Status) -> dict[str, Any] | None:
    """The Progressing condition."""
    return condition(deployment, "Progressing")


def is_complete(deployment: Obj, status: Status) -> bool:
    """Deployment_util.go DeploymentComplete."""
    wanted = replicas_of(deployment)
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    )


def status_of(deployment: Obj, sets: list[Obj], newest: Obj | None, now: float) -> Status:
    """The Deployment's status (sync.go calculateStatus, progress.go syncRolloutStatus)."""
    before: Status = deployment.get("status") or {}
    available = sum(_number(item, "availableReplicas") for item in sets)
    total = sum(replicas_of(item) for item in sets)
    counts = {
        "replicas": sum(_number(item, "replicas") for item in sets),
        "updatedReplicas": _number(newest, "replicas") if newest is not None else 0,
        "readyReplicas": sum(_number(item, "readyReplicas") for item in sets),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total - available),
    }
    status: Status = {"observedGeneration": deployment["metadata"].get("generation", 1)}
    status.update({field: number for field, number in counts.items() if number})
    status["terminatingReplicas"] = sum(_number(item, "terminatingReplicas") for item in sets)
    if before.get("collisionCount"):
        status["collisionCount"] = before["collisionCount"]
    enough = available >= replicas_of(deployment) - max_unavailable(deployment)
    conditions = set_condition(
        before.get("conditions") or [],
        {
            "type": "Available",
            "status": "True" if enough else "False",
            "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        },
        now,
        update_time=True,
    )
    if not deployment["spec"].get("paused") and "progressDeadlineSeconds" in deployment["spec"]:
        conditions = _with_progress(deployment, before, status, newest, conditions, now)
    status["conditions"] = _with_failure(conditions, sets, newest)
    return status


def _with_progress(
    deployment: Obj, before: Status, status: Status, newest: Obj | None, conditions: list[dict[str, Any]], now: float
) -> list[dict[str, Any]]:
    current = progress_condition(deployment)
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if settled and current is not None and current["reason"] == "NewReplicaSetAvailable":
        return conditions
    what = (
        f'ReplicaSet "{newest["metadata"]["name"]}"'
        if newest is not None
        else (f'Deployment "{deployment["metadata"]["name"]}"')
    )
    if is_complete(deployment, status):
        new = {"status": "True", "reason": "NewReplicaSetAvailable", "message": f"{what} has successfully progressed."}
    elif _has_progressed(before, status):
        new = {"status": "True", "reason": "ReplicaSetUpdated", "message": f"{what} is progressing."}
        since = current["lastTransitionTime"] if current and current["status"] == "True" else timestamp(now)
        updated = {
            "type": "Progressing",
            **new,
            "lastUpdateTime": timestamp(now),
            "lastTransitionTime": since,
        }
        return (
            [updated if item["type"] == "Progressing" else item for item in conditions]
            if current
            else [
                *conditions,
                updated,
            ]
        )
    elif current is not None and _timed_out(deployment, current, now):
        new = {
            "status": "False",
            "reason": "ProgressDeadlineExceeded",
            "message": f"{what} has timed out progressing.",
        }
    else:
        return conditions
    return set_condition(conditions, {"type": "Progressing", **new}, now, update_time=True)


def _has_progressed(before: Status, status: Status) -> bool:
    """Deployment_util.go DeploymentProgressing."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_now = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return bool(
        status.get("updatedReplicas", 0) > before.get("updatedReplicas", 0)
        or old_now < old_before
        or status.get("readyReplicas", 0) > before.get("readyReplicas", 0)
        or status.get("availableReplicas", 0) > before.get("availableReplicas", 0)
    )


def _timed_out(deployment: Obj, current: dict[str, Any], now: float) -> bool:
    """Deployment_util.go DeploymentTimedOut."""
    if current["reason"] in ("NewReplicaSetAvailable", "DeploymentPaused"):
        return False
    if current["reason"] == "ProgressDeadlineExceeded":
        return True
    return parse_time(current["lastUpdateTime"]) + float(deployment["spec"]["progressDeadlineSeconds"]) < now


def _with_failure(conditions: list[dict[str, Any]], sets: list[Obj], newest: Obj | None) -> list[dict[str, Any]]:
    rest = [item for item in conditions if item["type"] != "ReplicaFailure"]
    for item in ([newest] if newest is not None else []) + sets:
        failure = condition(item, "ReplicaFailure")
        if failure is not None:
            return [*rest, {**failure, "lastUpdateTime": failure["lastTransitionTime"]}]
    return rest
