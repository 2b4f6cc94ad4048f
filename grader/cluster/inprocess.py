"""An embedded cluster inside of this process, as the grader's own code sees clusters: a client, a clock, a description.

Nothing listens anywhere, so kubectl cannot reach it; what is applied goes through the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.cluster.info import ClusterInfo, Provider
from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.core.addons import VERSION
from grader.embedded.inprocess import Cluster
from grader.errors import ClusterUnreachable
from grader.kube.client import KubeApi
from grader.kube.connection import Connection

SERVER = "http://in-process.invalid"


class Inside:
    """A cluster inside of this process: it carries requests (`Carrying`) and is a clock (`Clock`)."""

    connection = Connection(SERVER)

    def __init__(self, name: str = "in-process", *, seed: int = 0, begun: float | None = None) -> None:
        self.cluster = Cluster(name, seed=seed, begun=begun)

    @property
    def info(self) -> ClusterInfo:
        """Describe it; its kubeconfig names no file."""
        return ClusterInfo(
            name=self.cluster.name,
            provider=Provider.EMBEDDED,
            kubeconfig=Path(),
            version=VERSION,
            outside=f"api:{OUTSIDE}",
            host_ports_path=HOST_PORTS,
        )

    def api(self) -> KubeApi:
        """Make a client of it."""
        return KubeApi(self, clock=self)

    def fetch(self, host: str, port: int, seconds: float) -> bytes:
        """GET /hostname of a node port from the learner's host. Raises TimeoutError, ConnectionResetError."""
        return self.cluster.fetch_from_host(port, "/hostname", seconds)

    # -- Carrying

    def request(
        self, method: str, target: str, headers: Mapping[str, str], payload: bytes | None, limit: float
    ) -> tuple[int, bytes]:
        """Send one request. Raises ClusterUnreachable ("api-timeout")."""
        try:
            return self.cluster.request(method, target, headers, payload or b"", limit)
        except TimeoutError as error:
            raise ClusterUnreachable("api-timeout", server=SERVER, seconds=f"{limit:g}") from error

    def close(self) -> None:
        """Hold nothing."""

    # -- Clock

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self.cluster.now

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, which takes none."""
        self.cluster.pass_time(seconds)

    def today(self) -> datetime:
        """Date and time of day, UTC."""
        return datetime.fromtimestamp(self.cluster.now, UTC)


class AtOnce(Executor):
    """Does everything when it is asked to: for a cluster on a clock of its own, which no thread would wait for."""

    def __init__(self, count: int = 1) -> None:
        """Make one; how many things may be asked at a time does not matter."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function; its result, or what it raised, is there already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
