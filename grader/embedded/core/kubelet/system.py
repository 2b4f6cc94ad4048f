"""Images of the cluster's own parts: they run, and do nothing but what is seen of them from outside."""

from __future__ import annotations

from grader.embedded.core.kernel import Event, Kernel
from grader.embedded.core.programs.image_specs import ImageSpec
from grader.embedded.core.programs.images import find, split_reference
from grader.embedded.core.programs.process import SIGTERM, Process

COREDNS = "registry.k8s.io/coredns/coredns"
SYSTEM = (
    COREDNS,
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


def is_coredns(reference: str) -> bool:
    """Whether the image is CoreDNS."""
    return split_reference(reference)[0] == COREDNS


def start(kernel: Kernel, argv: list[str]) -> Process:
    """A process that does nothing until it is told to end."""
    process = Process(kernel, argv, stdin=False, init=True)
    process.on_signal(SIGTERM, lambda: process.exit(0))

    async def idle() -> int:
        await Event().wait()
        return 0

    process.start(idle())
    return process
