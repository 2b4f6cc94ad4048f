"""HorizontalPodAutoscalers of autoscaling/v1, converted from and to autoscaling/v2, in which they are stored.

v1 has a field for the utilization of cpu alone; all else travels in annotations. Source: Kubernetes v1.36.3
pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go, helpers.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from grader.embedded.core.store import Obj

Tree = dict[str, Any]

PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT = f"{PREFIX}metrics", f"{PREFIX}current-metrics"
CONDITIONS, BEHAVIOR = f"{PREFIX}conditions", f"{PREFIX}behavior"
DEFAULT_CPU = 80  # DefaultCPUUtilization, percent
_GO_NAMES = {
    "scaleUp": ("StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance"),
    "policies": ("Type", "Value", "PeriodSeconds"),
}
"""Fields of the internal types in their order: the behavior annotation is one of them, without JSON tags."""


def to_v1(obj: Obj) -> Obj:
    """A stored autoscaler as autoscaling/v1 shows it (Convert_autoscaling_HorizontalPodAutoscaler_To_v1_…)."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    metrics, current = spec.get("metrics") or [], status.get("currentMetrics") or []
    kept = {
        METRICS: [_metric_to_v1(item) for item in metrics if _cpu(item) is None],
        CURRENT: [_current_to_v1(item) for item in current],
        BEHAVIOR: _behavior_to_go(spec["behavior"]) if spec.get("behavior") else None,
        CONDITIONS: status.get("conditions") or [],
    }
    notes = _without_round_trip(obj["metadata"].get("annotations") or {})
    notes |= {key: json.dumps(value, separators=(",", ":"), ensure_ascii=False) for key, value in kept.items() if value}
    cpu = next((percent for item in metrics if (percent := _cpu(item)) is not None), None)
    used = [_at(item, "resource", "current", "averageUtilization") for item in current if _is_cpu(item)]
    shown_spec = _given(spec, "scaleTargetRef", "minReplicas", "maxReplicas")
    shown_status: Tree = {
        **_given(status, "observedGeneration", "lastScaleTime"),
        "currentReplicas": status.get("currentReplicas", 0),
        "desiredReplicas": status.get("desiredReplicas", 0),
    }
    if cpu is not None:
        shown_spec["targetCPUUtilizationPercentage"] = cpu
    if used and used[-1] is not None:
        shown_status["currentCPUUtilizationPercentage"] = used[-1]
    return {
        **obj,
        "apiVersion": "autoscaling/v1",
        "metadata": _annotated(obj["metadata"], notes),
        "spec": shown_spec,
        "status": shown_status,
    }


def from_v1(obj: Obj) -> Obj:
    """What a client wrote in autoscaling/v1 as it is stored (Convert_v1_HorizontalPodAutoscaler_To_autoscaling_…)."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    notes = obj["metadata"].get("annotations") or {}
    metrics = [_metric_from_v1(item) for item in _read(notes, METRICS, list)]
    if (percent := spec.get("targetCPUUtilizationPercentage")) is not None:
        metrics.append(_cpu_metric(percent))
    stored_spec = _given(spec, "scaleTargetRef", "minReplicas", "maxReplicas")
    stored_spec["metrics"] = metrics or [_cpu_metric(DEFAULT_CPU)]
    if behavior := _behavior_from_go(_read(notes, BEHAVIOR, dict)):
        stored_spec["behavior"] = behavior
    stored_status = {
        "desiredReplicas": 0,
        **_given(status, "observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas"),
    }
    if not stored_status.get("currentReplicas"):
        stored_status.pop("currentReplicas", None)
    if current := [_current_from_v1(item) for item in _read(notes, CURRENT, list)]:
        stored_status["currentMetrics"] = current
    elif (used := status.get("currentCPUUtilizationPercentage")) is not None:
        cpu = {"name": "cpu", "current": {"averageUtilization": used}}
        stored_status["currentMetrics"] = [{"type": "Resource", "resource": cpu}]
    if conditions := _read(notes, CONDITIONS, list):
        stored_status["conditions"] = conditions
    return {
        **obj,
        "apiVersion": "autoscaling/v2",
        "metadata": _annotated(obj["metadata"], _without_round_trip(notes)),
        "spec": stored_spec,
        "status": stored_status,
    }


def _without_round_trip(notes: Tree) -> Tree:
    """DropRoundTripHorizontalPodAutoscalerAnnotations (helpers.go)."""
    return {key: value for key, value in notes.items() if key not in (METRICS, CURRENT, CONDITIONS, BEHAVIOR)}


def _annotated(meta: Tree, notes: Tree) -> Tree:
    rest = {key: value for key, value in meta.items() if key != "annotations"}
    return {**rest, "annotations": notes} if notes else rest


def _read(notes: Tree, key: str, kind: type) -> Any:
    """What an annotation holds; an empty one of its kind where it cannot be read, as upstream passes those over."""
    try:
        value = json.loads(notes.get(key) or "null")
    except ValueError:
        value = None
    if isinstance(value, list) and not all(isinstance(item, dict) for item in value):
        value = None
    return value if isinstance(value, kind) else kind()


def _given(tree: Tree, *keys: str) -> Tree:
    return {key: tree[key] for key in keys if tree.get(key) is not None}


def _at(tree: Tree, *path: str) -> Any:
    value: Any = tree
    for step in path:
        value = (value or {}).get(step)
    return value


def _is_cpu(metric: Tree) -> bool:
    return metric.get("type") == "Resource" and _at(metric, "resource", "name") == "cpu"


def _cpu(metric: Tree) -> int | None:
    """The percentage of a metric that v1 has a field for, None for any other."""
    percent: int | None = _at(metric, "resource", "target", "averageUtilization") if _is_cpu(metric) else None
    return percent


def _cpu_metric(percent: int) -> Tree:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _source(metric: Tree, convert: Callable[[str, Tree], Tree]) -> Tree:
    """A metric with each of its sources converted."""
    sources = ("object", "pods", "resource", "containerResource", "external")
    found = {name: convert(name, metric[name]) for name in sources if isinstance(metric.get(name), dict)}
    return {"type": metric.get("type", ""), **found}


def _pairs(*pairs: tuple[str, Any]) -> Tree:
    return {key: value for key, value in pairs if value is not None}


def _metric_to_v1(metric: Tree) -> Tree:
    def convert(name: str, source: Tree) -> Tree:
        target, identity = source.get("target") or {}, source.get("metric") or {}
        value, average = target.get("value"), target.get("averageValue")
        called, selector = identity.get("name", ""), identity.get("selector")
        match name:
            case "object":
                return _pairs(
                    ("target", source.get("describedObject")), ("metricName", called), ("targetValue", value or "0"),
                    ("selector", selector), ("averageValue", average),
                )  # fmt: skip
            case "pods":
                return _pairs(("metricName", called), ("targetAverageValue", average or "0"), ("selector", selector))
            case "external":
                return _pairs(
                    ("metricName", called), ("metricSelector", selector), ("targetValue", value),
                    ("targetAverageValue", average),
                )  # fmt: skip
        return _pairs(
            ("name", source.get("name", "")), ("targetAverageUtilization", target.get("averageUtilization")),
            ("targetAverageValue", average), ("container", source.get("container")),
        )  # fmt: skip

    return _source(metric, convert)


def _metric_from_v1(metric: Tree) -> Tree:
    def convert(name: str, source: Tree) -> Tree:
        called = _pairs(("name", source.get("metricName", "")), ("selector", source.get("selector")))
        average = source.get("targetAverageValue")
        match name:
            case "object":
                value, average = source.get("targetValue"), source.get("averageValue")
                kind = "Value" if average is None else "AverageValue"
                value = None if average is not None and value in ("0", 0) else value
                target = _pairs(("type", kind), ("value", value), ("averageValue", average))
                return {"metric": called, "target": target, "describedObject": source.get("target") or {}}
            case "pods":
                return {"metric": called, "target": {"type": "AverageValue", "averageValue": average or "0"}}
            case "external":
                value = source.get("targetValue")
                kind = "AverageValue" if value is None else "Value"
                called = _pairs(("name", source.get("metricName", "")), ("selector", source.get("metricSelector")))
                target = _pairs(("type", kind), ("value", value), ("averageValue", average))
                return {"metric": called, "target": target}
        percent = source.get("targetAverageUtilization")
        kind = "AverageValue" if percent is None else "Utilization"
        target = _pairs(("type", kind), ("averageValue", average), ("averageUtilization", percent))
        return _pairs(("name", source.get("name", "")), ("container", source.get("container")), ("target", target))

    return _source(metric, convert)


def _current_to_v1(metric: Tree) -> Tree:
    def convert(name: str, source: Tree) -> Tree:
        current, identity = source.get("current") or {}, source.get("metric") or {}
        value, average = current.get("value"), current.get("averageValue")
        called, selector = identity.get("name", ""), identity.get("selector")
        match name:
            case "object":
                return _pairs(
                    ("target", source.get("describedObject")), ("metricName", called), ("currentValue", value or "0"),
                    ("selector", selector), ("averageValue", average),
                )  # fmt: skip
            case "pods":
                return _pairs(("metricName", called), ("currentAverageValue", average or "0"), ("selector", selector))
            case "external":
                return _pairs(
                    ("metricName", called), ("metricSelector", selector), ("currentValue", value or "0"),
                    ("currentAverageValue", average),
                )  # fmt: skip
        return _pairs(
            ("name", source.get("name", "")), ("currentAverageUtilization", current.get("averageUtilization")),
            ("currentAverageValue", average or "0"), ("container", source.get("container")),
        )  # fmt: skip

    return _source(metric, convert)


def _current_from_v1(metric: Tree) -> Tree:
    def convert(name: str, source: Tree) -> Tree:
        selector = source.get("metricSelector" if name == "external" else "selector")
        called = _pairs(("name", source.get("metricName", "")), ("selector", selector))
        value, average = source.get("currentValue"), source.get("currentAverageValue")
        match name:
            case "object":
                current = _pairs(("value", value), ("averageValue", source.get("averageValue")))
                return {"metric": called, "current": current, "describedObject": source.get("target") or {}}
            case "pods" | "external":
                return {"metric": called, "current": _pairs(("value", value), ("averageValue", average))}
        percent = source.get("currentAverageUtilization")
        current = _pairs(("averageValue", average), ("averageUtilization", percent))
        return _pairs(("name", source.get("name", "")), ("container", source.get("container")), ("current", current))

    return _source(metric, convert)


def _behavior_to_go(behavior: Tree) -> Tree:
    """A HorizontalPodAutoscalerBehavior under the names of its Go fields, every one of them."""
    return {go: _rules_to_go(behavior.get(name)) for go, name in (("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown"))}


def _rules_to_go(rules: Tree | None) -> Tree | None:
    if rules is None:
        return None
    told = _upper(rules, _GO_NAMES["scaleUp"])
    if told["Policies"] is not None:
        told["Policies"] = [_upper(policy, _GO_NAMES["policies"]) for policy in told["Policies"]]
    return told


def _upper(tree: Tree, names: Iterable[str]) -> Tree:
    return {name: tree.get(name[0].lower() + name[1:]) for name in names}


def _behavior_from_go(tree: Any) -> Any:
    """Back again; encoding/json matches names in any case, so the first letter is all that differs."""
    if isinstance(tree, list):
        return [_behavior_from_go(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {key[:1].lower() + key[1:]: _behavior_from_go(value) for key, value in tree.items() if value is not None}
