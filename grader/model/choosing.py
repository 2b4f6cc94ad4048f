"""Choose among observed objects: a Service by its name, Pods by their labels and readiness, a learner's value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.model.kubernetes import is_finished, is_ready, is_terminating, labels_of, name_of, selects
from grader.model.objects import Objects, RawObject
from grader.model.vantage import ConfigKey, Readiness


def find_service(objects: Objects, name: str, namespace: str = "") -> RawObject | None:
    """Find a Service of the exercise's Namespace, or of a further one."""
    return next((item for item in objects.of("services", namespace) if name_of(item) == name), None)


def backends(objects: Objects, labels: Mapping[str, str], namespace: str = "") -> tuple[RawObject, ...]:
    """Choose the living Pods with these labels, of the exercise's Namespace or of a further one."""
    return living(objects.of("pods", namespace), labels)


def serving(pods: Iterable[RawObject], readiness: Readiness) -> tuple[RawObject, ...]:
    """Choose the Pods that traffic must reach."""
    return tuple(pod for pod in pods if readiness is Readiness.PUBLISHED or is_ready(pod))


def living(pods: Iterable[RawObject], labels: Mapping[str, str]) -> tuple[RawObject, ...]:
    """Choose the Pods with these labels that are neither finished nor terminating, by name."""
    return tuple(sorted((pod for pod in alive(pods) if selects(labels, labels_of(pod))), key=name_of))


def alive(pods: Iterable[RawObject]) -> tuple[RawObject, ...]:
    """Choose the Pods that are neither finished nor terminating."""
    return tuple(pod for pod in pods if not is_finished(pod) and not is_terminating(pod))


def config_value(objects: Objects, key: ConfigKey) -> str:
    """Read what the learner wrote into a ConfigMap, "" where it is not there."""
    return str((config_map(objects, key).get("data") or {}).get(key.key) or "").strip()


def config_map(objects: Objects, key: ConfigKey) -> RawObject:
    """Find the ConfigMap, empty where it is not there."""
    return next((item for item in objects.of("configmaps") if name_of(item) == key.config_map), {})
