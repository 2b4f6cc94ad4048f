"""DaemonSets.

Sources: pkg/apis/apps/v1/{defaults,conversion}.go, pkg/apis/apps/validation/validation.go,
pkg/registry/apps/daemonset/strategy.go (1.36).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds.strategy import HookContext, immutable
from grader.embedded.core.api.kinds.workloads import (
    Workload,
    amount,
    amount_errors,
    more_than_all,
    non_negative,
    selector_errors,
    template_errors,
)
from grader.embedded.core.objects import TEMPLATE_GENERATION
from grader.embedded.core.store import Obj

Spec = dict[str, Any]


class DaemonSetStrategy(Workload):
    """DaemonSets."""

    empty_status = MappingProxyType(
        {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}
    )
    noun = "daemonset"

    def default(self, obj: Obj) -> None:
        """SetDefaults_DaemonSet; the template's generation is an annotation (conversion.go)."""
        super().default(obj)
        meta = obj["metadata"]
        meta["annotations"] = {TEMPLATE_GENERATION: "1", **(meta.get("annotations") or {})}
        spec = obj["spec"]
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """No status, and a generation of the template that is one at least."""
        super().prepare_create(obj, context)
        _set_generation(obj, max(1, generation_of(obj)))

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """The status has a subresource of its own; the template's generation goes up when the template changes."""
        super().prepare_update(obj, old, context)
        changed = obj["spec"]["template"] != old["spec"]["template"] and not context.subresource
        _set_generation(obj, generation_of(old) + (1 if changed else 0))

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateDaemonSetSpec."""
        spec: Spec = obj["spec"]
        selector = spec.get("selector")
        errors = selector_errors(selector or {}, "spec.selector")
        if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(invalid("spec.selector", selector, "empty selector is invalid for daemonset"))
        errors += template_errors(spec, selector)
        if spec["template"]["spec"].get("activeDeadlineSeconds") is not None:
            text = "activeDeadlineSeconds in DaemonSet is not Supported"
            errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
        errors += non_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds")
        errors += _strategy(spec["updateStrategy"])
        return errors + non_negative(spec.get("revisionHistoryLimit", 0), "spec.revisionHistoryLimit")

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateDaemonSetUpdate: the selector stays."""
        if context.subresource:
            return []
        errors = immutable(obj["spec"].get("selector"), old["spec"].get("selector"), "spec.selector")
        return errors + self.validate(obj, context)


def generation_of(daemon_set: Obj) -> int:
    """The template's generation, 0 where it is not told."""
    text = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
    return int(text) if text.isdecimal() else 0


def _set_generation(obj: Obj, number: int) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: str(number)}


def _strategy(strategy: Spec) -> list[FieldError]:
    """ValidateDaemonSetUpdateStrategy, ValidateRollingUpdateDaemonSet."""
    path, rolling = "spec.updateStrategy", strategy.get("rollingUpdate")
    if strategy["type"] == "OnDelete":
        return []
    if strategy["type"] != "RollingUpdate":
        shown: Spec | None = None
        if rolling is not None:
            shown = {"MaxUnavailable": rolling.get("maxUnavailable", 0), "MaxSurge": rolling.get("maxSurge", 0)}
        value = {"Type": strategy["type"], "RollingUpdate": shown}
        return [not_supported(path, value, ("RollingUpdate", "OnDelete"))]
    path += ".rollingUpdate"
    limits = {name: strategy["rollingUpdate"].get(name, 0) for name in ("maxUnavailable", "maxSurge")}
    errors: list[FieldError] = []
    for check in (amount_errors, more_than_all):
        for name, value in limits.items():
            errors += check(value, f"{path}.{name}")
    unavailable, surge = (amount(value) != 0 for value in limits.values())
    if unavailable and surge:
        text = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(f"{path}.maxSurge", limits["maxSurge"], text))
    elif not unavailable and not surge:
        errors.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return errors
