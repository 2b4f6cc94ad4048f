"""What a stopped controller of the cluster still owes: no mistake of anybody's before that controller has seen it."""

from __future__ import annotations

from collections.abc import Iterator

from grader.causes.rollouts import is_unseen, template_of, workloads
from grader.causes.scene import Scene
from grader.model.evidence import Problem
from grader.model.kubernetes import has_slices, is_finished, labels_of, name_of, slices_settled


def owed(scene: Scene) -> Problem | None:
    """Find something in the exercise's own Namespace that waits for a controller which has stopped."""
    for code, waiting in (("controller-manager-down", _for_controllers), ("scheduler-down", _for_the_scheduler)):
        problem = scene.problem(code)
        first = next(waiting(scene), None) if problem else None
        if problem and first:
            return Problem(code, {**problem.facts, "waiting": first})
    return None


def _for_controllers(scene: Scene) -> Iterator[str]:
    for kind, item in workloads(scene):
        pods = scene.backends(labels_of(template_of(item)))
        if is_unseen(item) or len(pods) < item.get("spec", {}).get("replicas", 1):
            yield f"{kind} {name_of(item)}"
    for service in scene.objects.of("services"):
        if has_slices(service) and not slices_settled(service, scene.every_pod, scene.slices):
            yield f"Service {name_of(service)}"


def _for_the_scheduler(scene: Scene) -> Iterator[str]:
    for pod in scene.every_pod:
        if not pod.get("spec", {}).get("nodeName") and not is_finished(pod):
            yield f"Pod {name_of(pod)}"
