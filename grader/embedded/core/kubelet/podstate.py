"""What is known of a Pod on its node, and how it is told: what runs its containers and probes them needs no more."""

from __future__ import annotations

from abc import ABC, abstractmethod

from grader.embedded.core.kubelet.container import Container
from grader.embedded.core.kubelet.node import NodeState
from grader.embedded.core.kubelet.volumes import Volumes
from grader.embedded.core.machines import Machine
from grader.embedded.core.objects import key_of
from grader.embedded.core.store import Obj


class PodState(ABC):
    """One Pod on its node.

    Attributes:
        kubelet: its node.
        kernel: the scheduler.
        pod: the Pod as last stored.
        key: its Namespace and name.
        ip: its address, "" before it has one.
        machine: its network namespace, None before it has one.
        terminating: whether it is to be deleted.
        volumes: its volumes.

    """

    def __init__(self, kubelet: NodeState, pod: Obj) -> None:
        self.kubelet = kubelet
        self.kernel = kubelet.context.kernel
        self.pod = pod
        self.key = key_of(pod)
        self.machine: Machine | None = None
        self.ip = ""
        self.terminating = False
        self.volumes = Volumes(kubelet.context.store, kubelet.disk, kubelet.ip)

    @abstractmethod
    def publish(self) -> None:
        """Write the status soon, once for all changes of this turn."""

    def event(self, type_: str, reason: str, message: str, held: Container | None = None) -> None:
        """Record an event about a container, or about the Pod."""
        field = {"init": "initContainers", "main": "containers", "ephemeral": "ephemeralContainers"}
        self.kubelet.context.recorder.event(
            self.pod,
            type_,
            reason,
            message,
            "kubelet",
            host=self.kubelet.node,
            field_path=f"spec.{field[held.kind]}{{{held.name}}}" if held is not None else "",
        )
