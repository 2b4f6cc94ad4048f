"""A real CoreDNS that reads an API server, with the Corefile of kind's nodes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.coredns.upstream import upstream

COREFILE = """\
.:{port} {{
    errors
    health 127.0.0.1:{health}
    ready 127.0.0.1:{ready}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    forward . 127.0.0.1:{upstream} {{
        max_concurrent 1000
    }}
    cache 30 {{
        disable success
        disable denial
    }}
    loadbalance
}}
"""
"""What kubeadm 1.36 writes (cmd/kubeadm/app/phases/addons/dns/manifests.go) and kind 0.33 leaves as it is, but:

- no `lameduck`, `prometheus`, `loop`, `reload`: they change no answer;
- no zone is cached, not just cluster.local: a cached answer hides what the API server says by now. What `cache` makes
  of TTLs remains;
- `health`, `ready` and the upstream are at ports of our own.
"""
SYNC_SECONDS = 30.0


@dataclass(frozen=True)
class CoreDns:
    """A CoreDNS that runs.

    Attributes:
        port: where it answers on 127.0.0.1, over UDP and TCP.
        log: what it writes.
    """

    port: int
    log: Path


@contextlib.contextmanager
def coredns(binary: Path, kubeconfig: Path, folder: Path) -> Iterator[CoreDns]:
    """Run CoreDNS; it has read the cluster when this begins."""
    with upstream() as forwards:
        port, health, ready = free_port(), free_port(), free_port()
        corefile = folder / "Corefile"
        corefile.write_text(
            COREFILE.format(port=port, health=health, ready=ready, kubeconfig=kubeconfig, upstream=forwards)
        )
        log = folder / "coredns.log"
        with log.open("wb") as handle:
            process = subprocess.Popen(
                [binary, "-conf", corefile], stdout=handle, stderr=subprocess.STDOUT, env={"PATH": os.defpath}
            )
        try:
            _wait_until_ready(process, ready, log)
            yield CoreDns(port, log)
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """`ready` says 200 once all informers have synced (plugin/kubernetes/ready.go)."""
    deadline = time.monotonic() + SYNC_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"CoreDNS did not read the cluster:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """A port of 127.0.0.1 that is free for TCP and UDP."""
    while True:
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind(("", 0))
            datagram.bind(("", stream.getsockname()[1]))
            return int(stream.getsockname()[1])


def own_address() -> str:
    """An address of this machine by which CoreDNS may find itself among the endpoints; "" where it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 53))  # sends nothing
        return str(probe.getsockname()[0])
    return ""
