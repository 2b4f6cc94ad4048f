"""PriorityClasses, and the priority that each Pod has of one.

Sources (1.36.3): plugin/pkg/admission/priority/admission.go, pkg/apis/scheduling/validation/validation.go,
pkg/apis/scheduling/v1/{defaults,helpers}.go, pkg/registry/scheduling/priorityclass/strategy.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.embedded.core.api.http.field import FieldError, forbidden, not_supported, required
from grader.embedded.core.api.http.status import forbidden as forbidden_request
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, immutable
from grader.embedded.core.store import Obj, Store

POLICIES = ("Never", "PreemptLowerPriority")
HIGHEST = 1_000_000_000
"""The highest priority that is not the system's (pkg/apis/scheduling/types.go HighestUserDefinablePriority)."""
SYSTEM_PREFIX = "system-"
SYSTEM = (
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)
"""Name, value and description of the PriorityClasses of every cluster (pkg/apis/scheduling/v1/helpers.go)."""


class PriorityClassStrategy(Strategy):
    """PriorityClasses."""

    namespaced = False

    def default(self, obj: Obj) -> None:
        """SetDefaults_PriorityClass; the value is shown where it is 0, too."""
        obj.setdefault("value", 0)
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")
        if obj.get("globalDefault") is False:
            del obj["globalDefault"]

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePriorityClass."""
        errors: list[FieldError] = []
        name = obj["metadata"].get("name", "")
        if name.startswith(SYSTEM_PREFIX):
            if why := _unlike_the_systems(obj):
                text = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
                errors.append(forbidden("metadata.name", text + why))
        elif obj["value"] > HIGHEST:
            text = f"maximum allowed value of a user defined priority is {HIGHEST}"
            errors.append(forbidden("value", text))
        return errors + policy_errors(obj.get("preemptionPolicy"), "preemptionPolicy")

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePriorityClassUpdate: value and policy stay as they are."""
        changed = obj["value"] != old["value"]
        errors = [forbidden("value", "may not be changed in an update.")] if changed else []
        return errors + immutable(obj["preemptionPolicy"], old["preemptionPolicy"], "preemptionPolicy")


def _unlike_the_systems(obj: Obj) -> str:
    """IsKnownSystemPriorityClass: what is wrong with a class of such a name."""
    name = obj["metadata"]["name"]
    known = {name: value for name, value, _ in SYSTEM}
    if name not in known:
        return f"{name} is not a known system priority class"
    if obj["value"] != known[name]:
        return f"value of {name} PriorityClass must be {known[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


def policy_errors(policy: str | None, path: str) -> list[FieldError]:
    """ValidatePreemptionPolicy (pkg/apis/core/validation/validation.go)."""
    if policy is None or policy in POLICIES:
        return []
    return [not_supported(path, policy, POLICIES) if policy else required(path)]


def refusal(classes: Iterable[Obj], obj: Obj, old: Obj | None) -> str:
    """Why the admission plugin takes no such class beside the others, "" where it does (validatePriorityClass)."""
    default = _default(classes) if obj.get("globalDefault") else None
    if default is None or (old is not None and default["metadata"]["name"] == obj["metadata"]["name"]):
        return ""
    return f"PriorityClass {default['metadata']['name']} is already marked as default. Only one default can exist"


def _default(classes: Iterable[Obj]) -> Obj | None:
    found = (item for item in classes if item.get("globalDefault"))
    return min(found, key=lambda item: int(item["value"]), default=None)


def prioritize(pod: Obj, store: Store) -> None:
    """Give a new Pod the priority of its class, or of the default one (admitPod).

    Raises ApiError (403) where there is no such class, or where the Pod says otherwise.
    """
    spec = pod["spec"]
    name = spec.get("priorityClassName")
    found = store.get("priorityclasses", "", name) if name else _default(store.list("priorityclasses")) or {}
    if found is None:
        raise _refused(pod, f"no PriorityClass with name {name} was found")
    if found:
        spec["priorityClassName"] = found["metadata"]["name"]
    value, policy = found.get("value", 0), found.get("preemptionPolicy", "PreemptLowerPriority")
    computed = "must not be provided in pod spec; priority admission controller computed"
    if spec.setdefault("priority", value) != value:
        why = f"the integer value of priority ({spec['priority']}) {computed} {value} from the given PriorityClass name"
        raise _refused(pod, why)
    if (given := spec.setdefault("preemptionPolicy", policy)) != policy:
        why = f"the string value of PreemptionPolicy ({given}) {computed} {policy} from the given PriorityClass name"
        raise _refused(pod, why)


def _refused(pod: Obj, why: str) -> Exception:
    return forbidden_request("pods", "", pod["metadata"].get("name", ""), why)
