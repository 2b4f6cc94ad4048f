"""What LimitRanges fill into Pods, and what they do not let in.

Source: k8s.io/kubernetes/plugin/pkg/admission/limitranger/admission.go (1.36).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grader.embedded.core.quantity import Quantity, parse
from grader.embedded.core.quota import pod_amounts
from grader.embedded.core.store import Obj

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, Quantity]
_KINDS = (("containers", "container"), ("initContainers", "init container"))


def default(ranges: Iterable[Obj], pod: Obj) -> None:
    """Fill in the requests and limits that containers leave out (mergePodResourceRequirements); changes the Pod."""
    for range_ in ranges:
        filled: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
        for limit in _limits(range_, "Container"):
            filled["requests"] |= limit.get("defaultRequest") or {}
            filled["limits"] |= limit.get("default") or {}
        told = [
            text for kind, word in _KINDS for item in pod["spec"].get(kind) or () for text in _fill(item, filled, word)
        ]
        if told:
            annotations = pod["metadata"].get("annotations") or {}
            pod["metadata"]["annotations"] = {**annotations, ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}


def _fill(container: dict[str, Any], filled: Mapping[str, Mapping[str, Any]], word: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for field, one in (("requests", "request"), ("limits", "limit")):
        missing = {name: value for name, value in filled[field].items() if name not in (resources.get(field) or {})}
        if missing:
            resources[field] = {**(resources.get(field) or {}), **missing}
            yield f"{', '.join(sorted(missing))} {one} for {word} {container['name']}"


def refusal(ranges: Iterable[Obj], pod: Obj) -> str:
    """Why a Pod is not let in, "" where it is (PodValidateLimitFunc)."""
    for range_ in ranges:
        found: list[str] = []
        for limit in range_["spec"].get("limits") or ():
            if limit["type"] == "Container":
                for container in (item for kind, _ in _KINDS for item in pod["spec"].get(kind) or ()):
                    asked = container.get("resources") or {}
                    found += _violations(limit, _parsed(asked.get("requests")), _parsed(asked.get("limits")))
            elif limit["type"] == "Pod":
                found += _violations(limit, *(pod_amounts(pod["spec"], field) for field in ("requests", "limits")))
        if found:
            return found[0] if len(found) == 1 else f"[{', '.join(dict.fromkeys(found))}]"
    return ""


def _limits(range_: Obj, type_: str) -> list[dict[str, Any]]:
    return [limit for limit in range_["spec"].get("limits") or () if limit["type"] == type_]


def _parsed(amounts: Mapping[str, object] | None) -> Amounts:
    return {name: parse(value) for name, value in (amounts or {}).items()}


def _violations(limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    """The minConstraint, maxConstraint and limitRequestRatioConstraint of one Container or Pod."""
    per = limit["type"]
    for name, enforced in _parsed(limit.get("min")).items():
        rule, asked, capped = f"minimum {name} usage per {per} is {enforced}", requests.get(name), limits.get(name)
        if asked is None:
            yield f"{rule}.  No request is specified"
        elif asked.value < enforced.value:
            yield f"{rule}, but request is {asked}"
        elif capped is not None and capped.value < enforced.value:
            yield f"{rule}, but limit is {capped}"
    for name, enforced in _parsed(limit.get("max")).items():
        rule, asked, capped = f"maximum {name} usage per {per} is {enforced}", requests.get(name), limits.get(name)
        if capped is None:
            yield f"{rule}.  No limit is specified"
        elif capped.value > enforced.value:
            yield f"{rule}, but limit is {capped}"
        elif asked is not None and asked.value > enforced.value:
            yield f"{rule}, but request is {asked}"
    for name, enforced in _parsed(limit.get("maxLimitRequestRatio")).items():
        rule, asked, capped = (
            f"{name} max limit to request ratio per {per} is {enforced}",
            requests.get(name),
            limits.get(name),
        )
        if asked is None or not asked.value:
            yield f"{rule}, but no request is specified or request is 0"
        elif capped is None or not capped.value:
            yield f"{rule}, but no limit is specified or limit is 0"
        elif capped.value / asked.value > enforced.value:
            yield f"{rule}, but provided ratio is {float(capped.value / asked.value):f}"
