"""A whole cluster inside of this process: no socket, no thread, no second process, and waiting costs nothing.

    with Cluster() as cluster:
        status, body = cluster.request("GET", "/api/v1/nodes")
        cluster.pass_time(30)

The clock stands still while nobody asks for time to pass: a request takes no time, unless something inside of the
cluster is waited for (a connection through the Pod proxy); then the clock jumps from timer to timer until that is done.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.core.api import proxying, targets
from grader.embedded.core.api.messages import Connect, Request, Response
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.api.status import ApiError
from grader.embedded.core.kernel import Kernel, TimeoutError_, VirtualClock, drive, pass_time, with_timeout
from grader.embedded.core.objects import Key
from grader.embedded.core.programs.host import NetworkError
from grader.embedded.core.store import Store
from grader.embedded.core.world import NotRunning, World

CONNECT_SECONDS = 30.0  # k8s.io/apimachinery/pkg/util/net: the transport's dialer


class Cluster:
    """A cluster on a clock of its own. Not safe to use from several threads.

    Args:
        name: the cluster's name; its nodes are called after it.
        seed: of everything that is chosen by chance: same seed and same requests, same answers.
        begun: seconds since the epoch that its clock shows at first.
    """

    def __init__(self, name: str = "in-process", *, seed: int = 0, begun: float | None = None) -> None:
        self.name = name
        self._clock = VirtualClock() if begun is None else VirtualClock(begun)
        self._kernel = Kernel(self._clock)
        self._store = Store(self._clock.now, random.Random(seed))
        self._world = World(self._store, self._kernel, name=name, seed=seed)
        self._world.bootstrap()
        self._kernel.run()
        self._api = ApiServer(self._store)
        nodes = {ip: node for node, ip in self._world.node_ips.items()}
        self._control_plane = nodes[self._world.control_plane_ip]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is held but memory."""

    @property
    def now(self) -> float:
        """What its clock shows: seconds since the epoch."""
        return self._clock.time

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass, with all that happens in it."""
        pass_time(self._kernel, self._clock, seconds)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit: float = 3600.0,
    ) -> tuple[int, bytes]:
        """Send one request to the API server; return HTTP status and body.

        Args:
            method: "GET".
            target: path and query, percent-encoded.
            headers: "Content-Type", "Accept".
            body: as it would be sent.
            limit: seconds of the cluster's time that the answer may take.

        Raises TimeoutError where it takes longer, ValueError for a request that is a stream (watch, exec, attach, logs
        that are followed).
        """
        path, _, query = target.partition("?")
        lower = {key.lower(): value for key, value in (headers or {}).items()}
        asked = Request(method, unquote(path), tuple(parse_qsl(query, keep_blank_values=True)), lower, body)
        try:
            return self._answered(asked, path, query, limit)
        except ApiError as error:
            status = error.status()
            return int(status["code"]), json.dumps(status).encode()

    def _answered(self, asked: Request, path: str, query: str, limit: float) -> tuple[int, bytes]:
        if asked.path == HOST_PORTS:
            return 200, json.dumps(self._host_ports()).encode()
        if asked.path.startswith(f"{OUTSIDE}/"):
            rest = path.removeprefix(OUTSIDE) + (f"?{query}" if query else "")
            return self._fetched(asked, "outside", ("127.0.0.1", 8080), rest, limit)
        answer = self._api.handle(asked)
        if asked.method != "GET":
            self._kernel.run()
        match answer:
            case Response():
                return answer.status, answer.body
            case Connect() if answer.kind == "proxy":
                rest = f"/{''.join(path.split('/', 8)[8:])}" + (f"?{query}" if query else "")
                return self._fetched(asked, self._control_plane, targets.proxied(self._store, answer), rest, limit)
        raise ValueError(f"{asked.method} {path} answers with a stream")

    def _host_ports(self) -> dict[str, str]:
        """Tell at which address of the learner's host each node port is (`fetch_from_host`)."""
        return {
            str(port["nodePort"]): f"127.0.0.1:{port['nodePort']}"
            for service in self._store.list("services")
            for port in service.get("spec", {}).get("ports", ())
            if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
        }

    def fetch_from_host(self, port: int, target: str, limit: float) -> bytes:
        """GET from a node port as the learner's own machine would.

        Raises TimeoutError, ConnectionResetError where nobody takes the connection.
        """
        asked = Request("GET", target, (), {}, b"")
        source, address = "host", (self._world.control_plane_ip, port)
        try:
            return self._driven(asked, source, address, target, limit).body
        except TimeoutError:
            raise
        except (OSError, proxying.BadAnswer) as error:
            raise ConnectionResetError(str(error)) from error

    def _fetched(
        self, asked: Request, source: str | Key, address: tuple[str, int], target: str, limit: float
    ) -> tuple[int, bytes]:
        try:
            answer = self._driven(asked, source, address, target, limit)
        except TimeoutError:
            raise
        except (OSError, proxying.BadAnswer) as error:
            raise targets.unavailable(f"error trying to reach service: {error}") from error
        return answer.status, answer.body

    def _driven(
        self, asked: Request, source: str | Key, address: tuple[str, int], target: str, limit: float
    ) -> proxying.Answer:
        """Carry a request through the network. Raises TimeoutError after the limit, OSError, BadAnswer."""
        end = self.now + limit
        try:
            return drive(self._kernel, self._clock, self._exchange(asked, source, address, target), limit)
        except TimeoutError_ as error:
            self.pass_time(end - self.now)
            raise TimeoutError(str(error)) from error

    async def _exchange(
        self, asked: Request, source: str | Key, address: tuple[str, int], target: str
    ) -> proxying.Answer:
        """Ask a server inside of the network. Raises OSError, BadAnswer."""
        ip, port = address
        try:
            stream = await with_timeout(CONNECT_SECONDS, self._world.dial(source, ip, port))
        except TimeoutError_ as error:
            raise OSError(f"dial tcp {ip}:{port}: i/o timeout") from error
        except (NetworkError, NotRunning) as error:
            raise OSError(f"dial tcp {ip}:{port}: connect: {error}") from error
        headers = [*asked.headers.items(), ("x-forwarded-for", "127.0.0.1"), ("x-forwarded-uri", asked.path)]
        return await proxying.fetch(stream, asked.method, target, f"{ip}:{port}", headers, asked.body)
