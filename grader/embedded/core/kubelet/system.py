"""Images of the cluster's own parts: they run, and do nothing but what is seen of them from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.embedded.core.coredns.program import CoreDns
from grader.embedded.core.coredns.setup import Surroundings
from grader.embedded.core.kernel import Event
from grader.embedded.core.kubelet import kubeproxy
from grader.embedded.core.programs.host import AddressInUse
from grader.embedded.core.programs.images.running import find, split_reference
from grader.embedded.core.programs.images.specs import ImageSpec
from grader.embedded.core.programs.net.http import server
from grader.embedded.core.programs.process import Process
from grader.embedded.core.programs.signals import SIGTERM
from grader.embedded.core.store import Obj

if TYPE_CHECKING:
    from grader.embedded.core.kubelet.machine import ContainerHost, Nameserver

NodeOf = Callable[[], Obj | None]
SYSTEM = (
    "registry.k8s.io/coredns/coredns",
    "registry.k8s.io/kube-proxy",
    "registry.k8s.io/kube-apiserver",
    "registry.k8s.io/kube-controller-manager",
    "registry.k8s.io/kube-scheduler",
    "registry.k8s.io/etcd",
    "docker.io/kindest/kindnetd",
    "quay.io/metallb/controller",
    "quay.io/metallb/speaker",
)


def find_image(reference: str) -> ImageSpec | None:
    """The image of a reference, one of the cluster's own included; None where it cannot be pulled."""
    repository, tag = split_reference(reference)
    if repository in SYSTEM or f"docker.io/{repository}" in SYSTEM:
        name = repository.rsplit("/", 1)[-1]
        return ImageSpec(
            name=name,
            version=tag,
            flavour="",
            entrypoint=(f"/{name}",),
            args=(),
            programs=frozenset(),
            shell="",
        )
    return find(reference)


def is_system(reference: str) -> bool:
    """Whether the image is one of the cluster's own parts."""
    return f"docker.io/{split_reference(reference)[0]}" in SYSTEM or split_reference(reference)[0] in SYSTEM


def start(reference: str, argv: list[str], host: ContainerHost, nameserver: Nameserver, node: NodeOf) -> Process:
    """Start one of the cluster's own parts.

    Args:
        reference: its image.
        argv: its command line.
        host: the machine as its container sees it.
        nameserver: where a CoreDNS is found.
        node: the Node that it runs on, as it is stored.

    """
    process = Process(host.kernel, argv, stdin=False, init=True)
    process.on_signal(SIGTERM, lambda: process.exit(0))
    name = split_reference(reference)[0].rsplit("/", 1)[-1]
    running = {
        "coredns": lambda: _coredns(process, host, nameserver),
        "kube-proxy": lambda: _proxy(process, host, node),
    }
    process.start(running.get(name, _idle)())
    return process


async def _idle() -> int:
    await Event().wait()
    return 0


async def _coredns(process: Process, host: ContainerHost, nameserver: Nameserver) -> int:
    def write(line: str) -> None:
        process.write(1, f"{line}\n".encode())

    upstream = nameserver.from_machine(host.machine)
    around = Surroundings(nameserver.view, host.files, host.kernel.now, nameserver.random, write, upstream)
    program = CoreDns(process.argv, around)
    return await program.run(lambda _: process.at_exit(nameserver.serve(host.machine, program.answer)))


async def _proxy(process: Process, host: ContainerHost, node: NodeOf) -> int:
    kernel, machine = host.kernel, host.machine
    now = kernel.now()
    config = host.files.get(kubeproxy.CONFIG, b"").decode(errors="replace")
    for line in kubeproxy.start_lines(now, machine.ip, config):
        process.write(2, f"{line}\n".encode())
    answers = kubeproxy.responder(kubeproxy.health(kernel.now, now, node), kernel.now)
    metrics = kubeproxy.responder(kubeproxy.metrics, kernel.now)
    try:
        process.serve(host.listen, kubeproxy.HEALTH_PORT, server(process, answers))
        process.at_exit(machine.listen_loopback(kubeproxy.METRICS_PORT, server(process, metrics)))
    except AddressInUse:
        text = '"Error running ProxyServer" err="listen tcp 0.0.0.0:10256: bind: address already in use"'
        process.write(2, f"{kubeproxy.klog('E', kernel.now(), 'server.go:176', text)}\n".encode())
    return await _idle()
