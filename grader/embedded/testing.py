"""Fixtures of pytest for whoever tests an operator or a client: a cluster in the process, or one on a socket.

In a conftest.py:

    from grader.embedded.testing import cluster, served_cluster

`cluster` is a `grader.embedded.inprocess.Cluster`: nothing listens, and time passes when it is told to.
`served_cluster` listens on 127.0.0.1, in a thread of this process and on the machine's clock, for clients in any
language. Each test gets a new one; `serve` makes one outside of pytest, or for a whole session.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.embedded.inprocess import Cluster

START_SECONDS = 30.0
SETTLED_SECONDS = 30.0
"""Seconds of its own clock after which CoreDNS is ready in a new cluster."""


@dataclass(frozen=True)
class ServedCluster:
    """A cluster that listens.

    Attributes:
        kubeconfig: file for clients; its only user is the administrator.
        server: address of the API server, such as https://127.0.0.1:40123.
        dns: address and port of the cluster's DNS (UDP).
    """

    kubeconfig: Path
    server: str
    dns: str


@contextmanager
def serve(folder: Path, name: str = "testing") -> Iterator[ServedCluster]:
    """Run a cluster for as long as the context lasts.

    Args:
        folder: for its certificate, kubeconfig and state; a cluster that was there before goes on.
        name: the cluster's name; its nodes are called after it.

    Raises OSError where it cannot listen, TimeoutError where it does not start.
    """
    running = _Running(folder, name)
    thread = threading.Thread(target=running.main, name=f"cluster {name}", daemon=True)
    thread.start()
    try:
        yield running.served()
    finally:
        running.stop()
        thread.join(START_SECONDS)


class _Running:
    """A cluster on an event loop of its own thread."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._started = threading.Event()
        self._served: ServedCluster | None = None
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def main(self) -> None:
        """Run until `stop`."""
        try:
            asyncio.run(self._run())
        except BaseException as error:  # whoever started the thread is told
            self._error = error
        finally:
            self._started.set()

    async def _run(self) -> None:
        from grader.embedded.server.cluster import Cluster as Server

        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        server = Server(self._name, self._folder)
        facts = await server.start()
        try:
            address = f"https://127.0.0.1:{facts['port']}"
            self._served = ServedCluster(self._folder / "kubeconfig", address, facts["dns"])
            self._started.set()
            await self._stopping.wait()
        finally:
            await server.close()

    def served(self) -> ServedCluster:
        """Wait until it listens. Raises TimeoutError, or what kept it from starting."""
        if not self._started.wait(START_SECONDS):
            raise TimeoutError(f"the cluster has not started within {START_SECONDS:g} s")
        if self._served is None:
            raise self._error or RuntimeError("the cluster ended before it listened")
        return self._served

    def stop(self) -> None:
        """Ask it to end; harmless when it has ended."""
        if self._loop is not None and self._stopping is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster inside of this process, on a clock of its own, whose DNS answers."""
    with Cluster() as made:
        made.pass_time(SETTLED_SECONDS)
        yield made


@pytest.fixture
def served_cluster(tmp_path: Path) -> Iterator[ServedCluster]:
    """A cluster on a socket of this machine, with a kubeconfig for any client."""
    with serve(tmp_path / "cluster") as made:
        yield made
