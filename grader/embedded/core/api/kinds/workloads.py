"""Deployments and their kin.

Sources: pkg/apis/{apps,batch,core}/v1/defaults.go, pkg/apis/{apps,batch,core}/validation/validation.go (1.36).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.pod import default_spec
from grader.embedded.core.api.kinds.pod_rules import validate_spec
from grader.embedded.core.api.kinds.strategy import HookContext, WithStatus, immutable
from grader.embedded.core.objects import label_selector_matches
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def non_negative(value: int, path: str) -> list[FieldError]:
    """ValidateNonnegativeField."""
    return [] if value >= 0 else [invalid(path, value, "must be greater than or equal to 0")]


def selector_errors(selector: Spec, path: str) -> list[FieldError]:
    """ValidateLabelSelector (k8s.io/apimachinery/pkg/apis/meta/v1/validation)."""
    errors = names.labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, rule in enumerate(selector.get("matchExpressions") or ()):
        where = f"{path}.matchExpressions[{index}]"
        operator, values = rule.get("operator", ""), rule.get("values") or []
        if operator not in _OPERATORS:
            errors.append(invalid(f"{where}.operator", operator, "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not values:
            errors.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist") and values:
            errors.append(
                forbidden(f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            )
        errors += [invalid(f"{where}.key", rule.get("key", ""), text) for text in names.label_key(rule.get("key", ""))]
        for number, value in enumerate(values):
            errors += [invalid(f"{where}.values[{number}]", value, text) for text in names.label_value(value)]
    return errors


def template_errors(spec: Spec, selector_value: Spec | None, *, always: bool = True) -> list[FieldError]:
    """ValidatePodTemplateSpecForReplicaSet and its siblings.

    Args:
        spec: the workload's spec.
        selector_value: what must match the template's labels; None matches nothing, {} is not looked at.
        always: whether Pods must be restarted whenever they end.

    """
    template = spec.get("template") or {}
    meta = template.get("metadata") or {}
    labels = meta.get("labels") or {}
    errors: list[FieldError] = []
    if selector_value is None or (
        selector_value
        and not selector_errors(selector_value, "spec.selector")
        and not label_selector_matches(selector_value, labels)
    ):
        text = "`selector` does not match template `labels`"
        errors.append(invalid("spec.template.metadata.labels", meta.get("labels"), text))
    errors += names.labels(labels, "spec.template.labels")
    for key in meta.get("annotations") or {}:
        errors += [invalid("spec.template.annotations", key, text) for text in names.label_key(key.lower())]
    pod_spec = template.get("spec") or {}
    errors += validate_spec(pod_spec, "spec.template.spec")
    policy = pod_spec.get("restartPolicy")
    if always and policy in ("OnFailure", "Never"):
        errors.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return errors


class Workload(WithStatus):
    """What all workloads share: a Pod template, a selector, a status that only controllers write."""

    empty_status: Mapping[str, Any] = MappingProxyType({})
    noun = "deployment"

    def default(self, obj: Obj) -> None:
        """Defaults of the Pod template."""
        spec = obj.setdefault("spec", {})
        template = spec.setdefault("template", {})
        template.setdefault("metadata", {})
        default_spec(template.setdefault("spec", {}))
        obj.setdefault("status", {})

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """A creator sets no status."""
        obj["status"] = dict(self.empty_status)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """Selector, template and replicas."""
        spec: Spec = obj["spec"]
        errors = non_negative(spec.get("replicas", 0), "spec.replicas")
        errors += self.selector(spec)
        return errors + template_errors(spec, spec.get("selector"))

    def selector(self, spec: Spec) -> list[FieldError]:
        """The selector of an apps/v1 kind: needed and not empty."""
        selector = spec.get("selector")
        if selector is None:
            return [required("spec.selector")]
        errors = selector_errors(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(invalid("spec.selector", selector, f"empty selector is invalid for {self.noun}"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """The selector stays."""
        if context.subresource:
            return []
        errors = self.validate(obj, context)
        return errors + immutable(obj["spec"].get("selector"), old["spec"].get("selector"), "spec.selector")


class DeploymentStrategy(Workload):
    """Deployments."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_Deployment."""
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        strategy = spec.setdefault("strategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateDeployment."""
        spec = obj["spec"]
        errors = super().validate(obj, context)
        errors += _strategy(spec["strategy"])
        errors += non_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds")
        errors += non_negative(spec.get("revisionHistoryLimit", 0), "spec.revisionHistoryLimit")
        if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
            text = "must be greater than minReadySeconds"
            errors.append(invalid("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"], text))
        return errors


def _strategy(strategy: Spec) -> list[FieldError]:
    """ValidateDeploymentStrategy."""
    kind, path = strategy.get("type", ""), "spec.strategy.rollingUpdate"
    if kind == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(path, text)] if "rollingUpdate" in strategy else []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": strategy.get("rollingUpdate")}
        return [not_supported("spec.strategy", shown, ("Recreate", "RollingUpdate"))]
    rolling = strategy["rollingUpdate"]
    errors: list[FieldError] = []
    amounts = {}
    for name in ("maxUnavailable", "maxSurge"):
        value = rolling.get(name, 0)
        errors += amount_errors(value, f"{path}.{name}")
        amounts[name] = amount(value)
    if not any(amounts.values()):
        if not errors:
            errors.append(
                invalid(f"{path}.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
            )
    else:
        errors += more_than_all(rolling.get("maxUnavailable", 0), f"{path}.maxUnavailable")
    return errors


def amount(value: int | str) -> int:
    """The number in a number or percentage (getIntOrPercentValue)."""
    return value if isinstance(value, int) else int(re.sub(r"\D", "", value) or 0)


def amount_errors(value: int | str, path: str) -> list[FieldError]:
    """ValidatePositiveIntOrPercent."""
    if isinstance(value, int):
        return non_negative(value, path)
    return [] if re.fullmatch("[0-9]+%", value) else [invalid(path, value, _PERCENT)]


def more_than_all(value: int | str, path: str) -> list[FieldError]:
    """IsNotMoreThan100Percent."""
    if str(value).endswith("%") and amount(value) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)


class ReplicaSetStrategy(Workload):
    """ReplicaSets."""

    empty_status = MappingProxyType({"replicas": 0})

    def default(self, obj: Obj) -> None:
        """SetDefaults_ReplicaSet."""
        super().default(obj)
        obj["spec"].setdefault("replicas", 1)


class ReplicationControllerStrategy(Workload):
    """ReplicationControllers."""

    empty_status = MappingProxyType({"replicas": 0})

    def default(self, obj: Obj) -> None:
        """SetDefaults_ReplicationController."""
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("replicas", 1)
        labels = spec["template"]["metadata"].get("labels")
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateReplicationController."""
        spec = obj["spec"]
        errors = non_negative(spec.get("replicas", 0), "spec.replicas")
        if not spec.get("selector"):
            errors.append(required("spec.selector"))
        return errors + template_errors(spec, {"matchLabels": spec.get("selector") or {}})


def _default_job(spec: Spec) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")


class JobStrategy(Workload):
    """Jobs."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_Job."""
        super().default(obj)
        _default_job(obj["spec"])

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """Generate the selector (pkg/registry/batch/job/strategy.go)."""
        spec, meta = obj["spec"], obj["metadata"]
        if spec.get("manualSelector"):
            return
        meta.setdefault("uid", context.store.new_uid())
        labels = {
            "batch.kubernetes.io/controller-uid": meta["uid"],
            "batch.kubernetes.io/job-name": meta["name"],
            "controller-uid": meta["uid"],
            "job-name": meta["name"],
        }
        template = spec["template"]["metadata"]
        template["labels"] = {**(template.get("labels") or {}), **labels}
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": meta["uid"]}}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateJob."""
        spec = obj["spec"]
        errors = template_errors(spec, {}, always=False)
        policy = spec["template"]["spec"].get("restartPolicy")
        if policy not in ("OnFailure", "Never"):
            errors.append(
                FieldError(
                    "FieldValueRequired",
                    "spec.template.spec.restartPolicy",
                    'Required value: valid values: "OnFailure", "Never"',
                )
            )
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """The template of a Job stays."""
        if context.subresource:
            return []
        errors = self.validate(obj, context)
        for field in ("selector", "template", "completions", "completionMode"):
            errors += immutable(obj["spec"].get(field), old["spec"].get(field), f"spec.{field}")
        return errors


_QUARTER: dict[str, Any] = {"periodSeconds": 15}
_SCALING_RULES: dict[str, dict[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, **_QUARTER}, {"type": "Percent", "value": 100, **_QUARTER}],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, **_QUARTER}]},
}


class AutoscalerStrategy(WithStatus):
    """HorizontalPodAutoscalers, which keep their bounds only: there are no metrics."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_HorizontalPodAutoscaler (pkg/apis/autoscaling/v2/defaults.go)."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("minReplicas", 1)
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        if (behavior := spec.get("behavior")) is not None:
            for direction, rules in _SCALING_RULES.items():
                behavior[direction] = {**copy.deepcopy(rules), **(behavior.get(direction) or {})}
        obj.setdefault("status", {"desiredReplicas": 0})


class CronJobStrategy(WithStatus):
    """CronJobs: stored, not run."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_CronJob."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
        default_spec(job.setdefault("template", {}).setdefault("spec", {}))
        obj.setdefault("status", {})

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """A schedule is needed."""
        return [] if obj["spec"].get("schedule") else [required("spec.schedule")]
