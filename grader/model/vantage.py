"""Where questions are asked from, and at what: the words that criteria, questions and answers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.model.kubernetes import labels_of, name_of
from grader.model.objects import Objects, RawObject

CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
PROBE_POD = "grader-probe"
PROBE_NAMESPACE = "course-probe"
EXERCISE_LABEL = "services-course.example/exercise"  # of a Namespace that an exercise owns


class Vantage(StrEnum):
    """Where a question is asked from."""

    SAME_NAMESPACE = "same-namespace"
    OTHER_NAMESPACE = "other-namespace"
    OTHER_NODE = "other-node"  # for every node: a probe Pod on a different node
    OUTSIDE_CLIENT = "outside-client"
    LEARNER_HOST = "learner-host"


class At(StrEnum):
    """Which address of a Service a client uses."""

    NAME = "name"
    CLUSTER_IP = "cluster-ip"
    NODE_PORT = "node-port"  # every node's InternalIP; from the learner's host: the mapped address
    LOAD_BALANCER = "load-balancer"


class Readiness(StrEnum):
    """Which Pods must be endpoints, by their readiness."""

    REQUIRED = "required"  # every Pod with the labels is ready, and an endpoint
    GATED = "gated"  # the ready Pods are endpoints; the others, at least one, are not
    PUBLISHED = "published"  # every Pod is an endpoint, although some, at least one, are not ready


@dataclass(frozen=True)
class ConfigKey:
    """A value that the learner writes into a ConfigMap.

    Attributes:
        config_map: its name.
        key: the key in `data`.
    """

    config_map: str
    key: str


def home_of(vantage: str, namespace: str) -> str:
    """Tell the Namespace whose search list a vantage resolves by; `namespace` is the exercise's own."""
    return PROBE_NAMESPACE if vantage == Vantage.OTHER_NAMESPACE else namespace


def other_namespace_node(nodes: Sequence[RawObject]) -> str:
    """Choose the node whose probe speaks for another namespace: the first worker."""
    workers = [name_of(node) for node in nodes if CONTROL_PLANE_LABEL not in labels_of(node)]
    return min(workers or [name_of(node) for node in nodes], default="")


def vantage_node(vantage: str, objects: Objects) -> str:
    """Tell on which node a vantage's client runs, "" for one outside the cluster."""
    if vantage.startswith("node/"):
        return vantage.removeprefix("node/")
    if vantage == Vantage.OTHER_NAMESPACE:
        return other_namespace_node(objects.of("nodes"))
    if vantage == Vantage.SAME_NAMESPACE:
        probes = [pod for pod in objects.of("pods") if name_of(pod) == PROBE_POD]
        return str(probes[0].get("spec", {}).get("nodeName", "")) if probes else ""
    return ""
