"""What a process that reads somebody's hand-in may use: memory, processor time, files, other processes."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import sys
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Limits:
    """The most that one child may use.

    Attributes:
        memory: bytes of data; counted by Linux only, elsewhere the system's own limit ends what grows without end.
        cpu: seconds of processor time.
        seconds: seconds of the clock: the net below the others, for what waits and uses none of them.
        output: bytes of what it hands back.
        files: open files.
    """

    memory: int = 400_000_000
    cpu: int = 25
    seconds: float = 120.0
    output: int = 16_000_000
    files: int = 64

    def impose(self) -> None:
        """Limit this process, for good: it writes no file, starts no process, and does not outlive its parent."""
        most = {
            resource.RLIMIT_CORE: (0, 0),
            resource.RLIMIT_FSIZE: (0, 0),
            resource.RLIMIT_NOFILE: (self.files, self.files),
            resource.RLIMIT_DATA: (self.memory, self.memory),
            resource.RLIMIT_CPU: (self.cpu, self.cpu + 1),  # the signal that tells why, before the one that ends it
            resource.RLIMIT_NPROC: (0, 0),
        }
        for kind, soft_and_hard in most.items():
            with contextlib.suppress(ValueError, OSError):  # a system that does not count it, or allows less already
                resource.setrlimit(kind, soft_and_hard)
        signal.setitimer(signal.ITIMER_REAL, self.seconds + 5)  # whoever should end it may have died
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
