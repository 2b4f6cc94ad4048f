"""StatefulSets and ControllerRevisions.

Sources: pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation/validation.go, pkg/registry/apps/{statefulset,
controllerrevision}/strategy.go (1.36).
"""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.storage import claim_errors, default_claim
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, immutable
from grader.embedded.core.api.kinds.workloads import Workload, non_negative, template_errors
from grader.embedded.core.storage import with_claims
from grader.embedded.core.store import Obj

Spec = dict[str, Any]

MAY_CHANGE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_UPDATE_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


class StatefulSetStrategy(Workload):
    """StatefulSets."""

    name_form = staticmethod(names.dns_label)
    empty_status = MappingProxyType({"replicas": 0, "availableReplicas": 0})
    noun = "statefulset"

    def default(self, obj: Obj) -> None:
        """SetDefaults_StatefulSet."""
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("replicas", 1)
        spec.setdefault("podManagementPolicy", "OrderedReady")
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
            strategy.setdefault("rollingUpdate", {})
        if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
            strategy["rollingUpdate"].setdefault("partition", 0)
        for template in spec.get("volumeClaimTemplates") or ():
            template.update({"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
            default_claim(template.setdefault("spec", {}))
            template.setdefault("status", {}).setdefault("phase", "Pending")
        policy = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        policy.setdefault("whenDeleted", "Retain")
        policy.setdefault("whenScaled", "Retain")

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """No status, nothing of a feature that is off, and a serviceName that is shown even where it is empty."""
        super().prepare_create(obj, context)
        obj["spec"].setdefault("serviceName", "")
        _drop_disabled(obj, None)

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """The status has a subresource of its own."""
        super().prepare_update(obj, old, context)
        obj["spec"].setdefault("serviceName", "")
        _drop_disabled(obj, old)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateStatefulSet."""
        spec: Spec = obj["spec"]
        errors = self._before_service_name(spec)
        for index, template in enumerate(spec.get("volumeClaimTemplates") or ()):
            errors += claim_errors(template.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
        if service := spec.get("serviceName"):
            errors += [invalid("spec.serviceName", service, text) for text in names.dns_label(service)]
        return errors + self._after_service_name(spec)

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateStatefulSetUpdate."""
        if context.subresource:
            return []
        errors = self._before_service_name(obj["spec"]) + self._after_service_name(obj["spec"])
        kept = [{k: v for k, v in spec.items() if k not in MAY_CHANGE} for spec in (obj["spec"], old["spec"])]
        return errors + ([] if kept[0] == kept[1] else [forbidden("spec", _UPDATE_TEXT)])

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """WarningsOnCreate, WarningsOnUpdate."""
        if (obj["spec"].get("revisionHistoryLimit") or 0) >= 0:
            return []
        return [
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
        ]

    def _before_service_name(self, spec: Spec) -> list[FieldError]:
        """The first half of ValidateStatefulSetSpec, in its order."""
        errors: list[FieldError] = []
        if (policy := spec.get("podManagementPolicy")) not in ("OrderedReady", "Parallel"):
            errors.append(invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
        errors += _strategy(spec["updateStrategy"])
        for field, value in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
            if value not in ("Retain", "Delete"):
                path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
                errors.append(not_supported(path, value, ("Retain", "Delete")))
        errors += non_negative(spec.get("replicas", 0), "spec.replicas")
        errors += non_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds")
        return errors + non_negative((spec.get("ordinals") or {}).get("start", 0), "spec.ordinals.start")

    def _after_service_name(self, spec: Spec) -> list[FieldError]:
        """The second half: hostname and subdomain of the template are overwritten, so they may be anything."""
        shown = copy.deepcopy(spec)
        for field in ("hostname", "subdomain"):
            shown["template"]["spec"].pop(field, None)
        shown["template"]["spec"]["volumes"] = with_claims(spec, shown["template"]["spec"].get("volumes") or [], "")
        errors = self.selector(spec) + template_errors(shown, spec.get("selector"))
        if spec["template"]["spec"].get("activeDeadlineSeconds") is not None:
            text = "activeDeadlineSeconds in StatefulSet is not Supported"
            errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
        return errors


def _strategy(strategy: Spec) -> list[FieldError]:
    path, rolling = "spec.updateStrategy", strategy.get("rollingUpdate")
    if strategy["type"] == "OnDelete":
        text = "only allowed for updateStrategy 'RollingUpdate'"
        return [] if rolling is None else [invalid(f"{path}.rollingUpdate", _go_rolling(rolling), text)]
    if strategy["type"] != "RollingUpdate":
        shown = {"Type": strategy["type"], "RollingUpdate": None if rolling is None else _go_rolling(rolling)}
        return [invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")]
    return non_negative((rolling or {}).get("partition", 0), f"{path}.rollingUpdate.partition")


def _go_rolling(rolling: Spec) -> Spec:
    """The internal type, which has no JSON names."""
    return {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}


def _drop_disabled(obj: Obj, old: Obj | None) -> None:
    """MaxUnavailable belongs to a feature gate that is off by default (dropStatefulSetDisabledFields)."""
    held = ((old or {}).get("spec", {}).get("updateStrategy") or {}).get("rollingUpdate") or {}
    rolling = obj["spec"]["updateStrategy"].get("rollingUpdate")
    if rolling is not None and "maxUnavailable" not in held:
        rolling.pop("maxUnavailable", None)


class ControllerRevisionStrategy(Strategy):
    """ControllerRevisions: their data stays."""

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateControllerRevisionCreate."""
        errors = non_negative(obj.get("revision", 0), "revision")
        if obj.get("data") is None:
            errors.append(required("data", "data is mandatory"))
        elif not isinstance(obj["data"], dict):
            errors.append(required("data", "data must be a valid JSON object"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateControllerRevisionUpdate."""
        return non_negative(obj.get("revision", 0), "revision") + immutable(obj.get("data"), old.get("data"), "data")
