"""Node ports of an exercise on the learner's own machine: whether what they type there reaches this cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.cluster.holders import Holder, holder
from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.ports import taken
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise
from grader.text import labels

HOST = "127.0.0.1"
_NODE_PORT = re.compile(r"\bnodePort: *(\d+)")


@dataclass(frozen=True)
class Conflict:
    """A node port that somebody else holds on this machine.

    Attributes:
        port: the node port.
        holder: who holds it.
        url: where this cluster's Service is reached instead, "" while there is no Service with this port.
    """

    port: int
    holder: Holder
    url: str = ""


def node_ports(exercise: Exercise) -> tuple[int, ...]:
    """List the node ports that an exercise speaks of: those given, and those of its reference answer."""
    texts = (exercise.given, exercise.starter, *(answer.text for answer in exercise.answers[:1]))
    return tuple(sorted({int(number) for text in texts for number in _NODE_PORT.findall(text)}))


def conflicts(exercise: Exercise, cluster: ClusterInfo) -> tuple[Conflict, ...]:
    """Find the exercise's node ports that lead elsewhere on this machine.

    Only an embedded cluster gives way to who came first; kind does not come up without its ports.

    Raises ClusterUnreachable, ApiRefused.
    """
    ports = node_ports(exercise)
    if cluster.provider is not Provider.EMBEDDED or not ports:
        return ()
    with KubeApi(cluster.kubeconfig) as api:
        mapped = api.host_ports(cluster.host_ports_path)
    elsewhere = [port for port in ports if mapped.get(port) != f"{HOST}:{port}"]
    return tuple(
        Conflict(port, holder(port), f"http://{mapped[port]}" if port in mapped else "")
        for port in taken(HOST, elsewhere)
    )


def conflict_words(conflict: Conflict) -> str:
    """Say who holds a port, where the Service is reached instead, and how to find out more."""
    table = labels()
    holding = table[f"holder.{conflict.holder.code}"].format(**conflict.holder.facts)
    instead = "start.port-url" if conflict.url else "start.port-later"
    keys = ("start.port", instead, "start.port-more")
    return "".join(table[key].format(port=conflict.port, url=conflict.url, holder=holding) for key in keys)
