"""ResourceQuotas and LimitRanges as the API keeps them.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go (ValidateResourceQuotaSpec,
ValidateLimitRange), pkg/registry/core/resourcequota/strategy.go (1.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core import quota
from grader.embedded.core.api.http.field import FieldError, duplicate, forbidden, invalid
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, WithStatus
from grader.embedded.core.quantity import parse
from grader.embedded.core.store import Obj

_DEFAULTS = ("default", "defaultRequest")
_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_BOUNDS = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)
"""What must not be greater than what, whose field is told, and how."""


class ResourceQuotaStrategy(WithStatus):
    """ResourceQuotas."""

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """The status is the controller's."""
        obj.setdefault("spec", {})
        obj["status"] = {}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateResourceQuotaSpec."""
        errors: list[FieldError] = []
        for name, value in (obj["spec"].get("hard") or {}).items():
            path, quantity = f"spec.hard[{name}]", parse(value)
            if "/" not in name and not quota.kind_of(name) and name != "requests.storage":
                errors.append(invalid(path, name, "must be a standard resource for quota"))
            if quantity.value < 0:
                errors.append(invalid(path, value, "must be greater than or equal to 0"))
            elif _is_count(name) and quantity.value.denominator != 1:
                errors.append(invalid(path, value, "must be an integer"))
        return errors


def _is_count(name: str) -> bool:
    return name == "pods" or name.partition(".")[0] == "services" or name in quota.COUNTED or name.startswith("count/")


class LimitRangeStrategy(Strategy):
    """LimitRanges."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_LimitRangeItem: what is left out of a container's limits follows from the others."""
        for limit in obj.setdefault("spec", {}).get("limits") or ():
            if limit.get("type") == "Container":
                default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
                request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
                limit |= {key: value for key, value in zip(_DEFAULTS, (default, request), strict=True) if value}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateLimitRange."""
        errors: list[FieldError] = []
        types: list[str] = []
        for index, limit in enumerate(obj["spec"].get("limits") or ()):
            path, type_ = f"spec.limits[{index}]", limit.get("type", "")
            if "/" not in type_ and type_ not in _TYPES:
                errors.append(invalid(f"{path}.type", type_, "must be a standard limit type or fully qualified"))
            if type_ in types:
                errors.append(duplicate(f"{path}.type", type_))
            types.append(type_)
            for field in _DEFAULTS if type_ == "Pod" else ():
                if limit.get(field):
                    errors.append(forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'"))
            errors += _bound_errors(limit, path)
        return errors


def _bound_errors(limit: dict[str, Any], path: str) -> list[FieldError]:
    errors = []
    for less, more, field, text in _BOUNDS:
        for name, value in (limit.get(less) or {}).items():
            other = (limit.get(more) or {}).get(name)
            if other is not None and parse(value).value > parse(other).value:
                told = text.format(parse(value), parse(other))
                errors.append(invalid(f"{path}.{field}[{name}]", limit[field][name], told))
    for name, value in (limit.get("maxLimitRequestRatio") or {}).items():
        if parse(value).value < 1:
            errors.append(
                invalid(f"{path}.maxLimitRequestRatio[{name}]", value, f"ratio {parse(value)} is less than 1")
            )
    return errors
