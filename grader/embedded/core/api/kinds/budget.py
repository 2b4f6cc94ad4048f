"""PodDisruptionBudgets.

Sources: pkg/registry/policy/poddisruptionbudget/strategy.go, pkg/apis/policy/validation/validation.go (1.36).
"""

from __future__ import annotations

from grader.embedded.core.api.http.field import FieldError, invalid, not_supported
from grader.embedded.core.api.kinds.strategy import HookContext, WithStatus
from grader.embedded.core.api.kinds.workloads import amount_errors, more_than_all, selector_errors
from grader.embedded.core.store import Obj

EMPTY_STATUS = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
_FIELDS = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


class BudgetStrategy(WithStatus):
    """PodDisruptionBudgets."""

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """The status is the controller's."""
        obj["status"] = dict(EMPTY_STATUS)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePodDisruptionBudgetSpec."""
        spec = obj.get("spec") or {}
        errors: list[FieldError] = []
        if "minAvailable" in spec and "maxUnavailable" in spec:
            # the internal type has no JSON tags
            shown = {field[0].upper() + field[1:]: spec.get(field) for field in _FIELDS}
            errors.append(invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            if field in spec:
                errors += amount_errors(spec[field], f"spec.{field}") + more_than_all(spec[field], f"spec.{field}")
        errors += selector_errors(spec.get("selector") or {}, "spec.selector")
        policy = spec.get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
        if policy not in _POLICIES:
            errors.append(not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES))
        return errors
