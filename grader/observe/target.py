"""The cluster that is observed, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from grader.kube.client import KubeApi
from grader.kube.clock import WALL, Clock
from grader.model.evidence import ReachAnswer, ReachQuestion
from grader.observe.inert import Unemulated
from grader.observe.reach import ask_from_here


def _threads(count: int) -> Executor:
    return ThreadPoolExecutor(count, thread_name_prefix="observe")


@dataclass(frozen=True)
class Target:
    """The cluster that is observed.

    Attributes:
        api: its API server.
        label: provider and Kubernetes version, for a person.
        outside: the way to the outside client (ClusterInfo.outside).
        host_ports: node port → address on the learner's host (ClusterInfo.host_ports).
        host_ports_path: path on the API server that answers such a mapping, "" for none.
        pace: how long its data plane may lag behind, relative to kind (Evidence.pace).
        clock: by which it is observed.
        executor: makes what asks several things at a time; its argument is how many.
        from_here: asks as the learner's own machine does, with a first try of so many seconds.
        first_pause: seconds between the first look and the next; further pauses grow.
        longest_pause: seconds between two looks, at the most.
        unemulated: lists the fields of an object that the cluster stores without any effect; None: there are none.
        lasting: what was answered as wanted will be as long as no object changes: it is not asked again.
    """

    api: KubeApi
    label: str
    outside: str = ""
    host_ports: Mapping[int, str] = field(default_factory=dict)
    host_ports_path: str = ""
    pace: float = 1.0
    clock: Clock = WALL
    executor: Callable[[int], Executor] = _threads
    from_here: Callable[[ReachQuestion, float], ReachAnswer] = ask_from_here
    first_pause: float = 0.04
    longest_pause: float = 0.25
    lasting: bool = False
    unemulated: Unemulated | None = None
