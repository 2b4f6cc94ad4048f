"""What acts on traffic or Pods though no task asks for it: policies, quotas and autoscalers beside the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.words import listed, word
from grader.model.ground import Given
from grader.model.kubernetes import addresses_of, is_finished, labels_of, name_of
from grader.model.objects import RawObject
from grader.model.report import Hop


def acting(scene: Scene) -> Ruling | None:
    """Name the first object that keeps Pods from what they do by themselves."""
    for namespace in ("", *scene.objects.namespaces):
        place = {"namespace": namespace or scene.exercise.namespace, "exercise": scene.exercise.id}
        for policy in scene.objects.of("networkpolicies", namespace):
            pods = [name_of(pod) for pod in scene.objects.of("pods", namespace) if _selected(policy, pod)]
            if pods and (directions := listed(_isolates(policy))) != word("plain", "none"):
                facts = {"kind": "NetworkPolicy", "name": name_of(policy), "directions": directions}
                return fail("policy-beside", Hop.GROUND, **facts, **place, count=len(pods))
        for plural, kind in (("resourcequotas", "ResourceQuota"), ("limitranges", "LimitRange")):
            for item in scene.objects.of(plural, namespace):
                return fail("limit-beside", Hop.GROUND, kind=kind, name=name_of(item), **place)
        for item in scene.objects.of("horizontalpodautoscalers", namespace):
            target = item.get("spec", {}).get("scaleTargetRef") or {}
            facts = {"name": name_of(item), "target": f"{target.get('kind')} {target.get('name')}"}
            return fail("autoscaler-beside", Hop.GROUND, **facts, **place)
    return None


def service_beside(scene: Scene) -> Ruling | None:
    """Name a Service that was made where the task lets nobody make one.

    One that bears the name of what the task asks for is only in the wrong place: its own criterion says so.
    """
    exercise, ground = scene.exercise, scene.evidence.ground
    if ground is None:
        return None
    known = {item.what for item in ground.laid}
    missing = {item.expect.service for item in exercise.criteria if scene.service(item.expect.service) is None}
    for namespace in exercise.all_namespaces:
        home = scene.home(namespace)
        if "Service" in (exercise.may_change if not home else exercise.may_change_there.get(namespace, ())):
            continue
        for service in scene.objects.of("services", home):
            what = Given(namespace, "Service", name_of(service))
            if what not in known and what.name not in missing:
                facts = {"service": what.name, "namespace": namespace, "exercise": exercise.id}
                return fail("service-beside", Hop.GROUND, **facts)
    return None


def opened_beside(scene: Scene) -> Ruling | None:
    """Name what opens the exercise's Pods to the outside though no criterion speaks of it."""
    exercise, ground = scene.exercise, scene.evidence.ground
    if ground is None:
        return None
    known = {item.what for item in ground.laid}
    asked = {criterion.expect.service for criterion in exercise.criteria}
    for namespace in exercise.all_namespaces:
        home = scene.home(namespace)
        for service in scene.objects.of("services", home):
            spec, name = service["spec"], name_of(service)
            outside = spec.get("type") in ("NodePort", "LoadBalancer") or spec.get("externalIPs")
            if outside and name not in asked and Given(namespace, "Service", name) not in known:
                field = "externalIPs" if spec.get("externalIPs") else "type"
                facts = {"kind": "Service", "name": name, "field": f"spec.{field}", "value": spec[field]}
                return fail("opened-beside", Hop.GROUND, **facts, exercise=exercise.id)
        for ingress in scene.objects.of("ingresses", home):
            facts = {"kind": "Ingress", "name": name_of(ingress), "field": "spec", "value": "…"}
            return fail("opened-beside", Hop.GROUND, **facts, exercise=exercise.id)
    addresses = {address: name_of(pod) for pod in scene.objects.everywhere("pods") for address in addresses_of(pod)}
    for item in scene.objects.cluster.get("endpointslices", ()):
        where = str(item["metadata"].get("namespace") or exercise.namespace)
        found = [one for entry in item.get("endpoints") or () for one in entry.get("addresses") or ()]
        reached = sorted({addresses[one] for one in found if one in addresses})
        if reached and where not in exercise.all_namespaces:
            facts = {"slice": name_of(item), "namespace": where, "pods": listed(reached)}
            return fail("slice-elsewhere", Hop.GROUND, **facts)
    return None


def _selected(policy: RawObject, pod: RawObject) -> bool:
    selector = policy.get("spec", {}).get("podSelector") or {}
    return not is_finished(pod) and selects_all(selector, labels_of(pod))


def selects_all(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector matches; an empty one matches everything (apimachinery meta/v1/helpers.go)."""
    if not (selector.get("matchLabels") or {}).items() <= dict(labels).items():
        return False
    return all(_holds(item, labels) for item in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _isolates(policy: RawObject) -> Iterator[str]:
    """Give the directions in which a policy lets through less than everything (k8s.io/api/networking/v1/types.go)."""
    spec = policy.get("spec", {})
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for direction, peers in (("Ingress", "from"), ("Egress", "to")):
        rules = spec.get(direction.lower()) or ()
        if direction in types and not any(not rule.get(peers) and not rule.get("ports") for rule in rules):
            yield direction
