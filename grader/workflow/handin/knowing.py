"""Which Pods know a Service by its environment variables: read from the Pods themselves.

A container has the variables of the Services that were there when it started (pkg/kubelet/kubelet_pods.go,
getServiceEnvVarMap). Times of creation do not tell: they have a resolution of one second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.causes.scene import Scene
from grader.cluster.info import ClusterInfo
from grader.criteria.env import Env, Known
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_terminating, name_of, workload_of
from grader.model.vantage import PROBE_POD
from grader.workflow.check import observe_once
from grader.workflow.handin.handed import Reference

Key = tuple[str, str, str]
Object = Mapping[str, Any]


@dataclass(frozen=True)
class Knowing:
    """What Pods of workloads know.

    Attributes:
        now: whose Pods know the Service as it is; a workload, or single Pods of it.
        before: single Pods that know it as it was before it was made again.
    """

    now: tuple[Reference, ...] = ()
    before: tuple[Reference, ...] = ()


def look(api: KubeApi, exercise: Exercise, cluster: ClusterInfo, pods: Iterable[Object]) -> Knowing:
    """Ask the Pods, where the exercise asks for variables at all. Raises ClusterUnreachable."""
    asked = [item.expect for item in exercise.criteria if isinstance(item.expect, Env)]
    if not asked:
        return Knowing()
    scene = Scene(exercise, observe_once(exercise, cluster, api))
    known = {name: what for expect in asked for name, what in expect.known(scene).items()}
    now: list[Reference] = []
    before: list[Reference] = []
    for key, group in by_workload(pods, exercise).items():
        if key[0] != exercise.namespace or key[1] == "Pod":
            continue
        told = [known.get(name_of(pod), Known.NOT) for pod in group]
        before += _pods(key, told, Known.BEFORE)
        now += [Reference(*key)] if all(one is Known.NOW for one in told) else _pods(key, told, Known.NOW)
    return Knowing(tuple(now), tuple(before))


def _pods(key: Key, told: Iterable[Known], wanted: Known) -> Iterator[Reference]:
    return (Reference(*key, pod=index) for index, one in enumerate(told) if one is wanted)


def by_workload(pods: Iterable[Object], exercise: Exercise) -> dict[Key, list[Object]]:
    """Sort Pods by what made them (Namespace, kind, name; a Pod of its own by itself), each group by name."""
    groups: dict[Key, list[Object]] = {}
    for pod in sorted(pods, key=name_of):
        if is_terminating(pod) or name_of(pod) == PROBE_POD:
            continue
        kind, name = workload_of(pod)
        key = (str(pod["metadata"]["namespace"]), kind or "Pod", name or name_of(pod))
        groups.setdefault(key, []).append(pod)
    return groups
