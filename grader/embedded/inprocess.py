r"""A whole cluster inside of this process: no socket, no thread, no second process, and waiting costs nothing.

    with Cluster() as cluster:
        status, body = cluster.request("GET", "/api/v1/nodes")
        for event in cluster.watch("/api/v1/pods?timeoutSeconds=60"):
            ...
        cluster.wait(lambda: b"ready" in cluster.logs("default", "web"))
        assert cluster.exec("default", "web", ["hostname"]).stdout == b"web\n"
        cluster.pass_time(30)

The clock stands still while nobody asks for time to pass: a request takes no time, unless something inside of the
cluster is waited for (a connection through the Pod proxy); then the clock jumps from timer to timer until that is done.
For clients that want a socket, and for fixtures of pytest: `grader.embedded.testing`.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode

from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.core.api.connect import proxying, targets
from grader.embedded.core.api.connect.logs import Cutter, options_of
from grader.embedded.core.api.http.messages import Connect, Request, Response, Watch
from grader.embedded.core.api.http.status import ApiError, bad_request
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.kernel import Kernel, TimeoutError_, Timer, VirtualClock, drive, pass_time, with_timeout
from grader.embedded.core.objects import Key
from grader.embedded.core.programs.host import NetworkError
from grader.embedded.core.store import Store
from grader.embedded.core.world import NotRunning, World

CONNECT_SECONDS = 30.0  # k8s.io/apimachinery/pkg/util/net: the transport's dialer
BOOKMARK_SECONDS = 60.0  # k8s.io/apiserver storage/cacher bookmarkFrequency

T = TypeVar("T")


class Refused(Exception):
    """The API server said no.

    Attributes:
        status: HTTP status.
        body: the metav1.Status.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status}: {body.get('message', '')}")
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Completed:
    """A command that has ended.

    Attributes:
        code: its exit code.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    code: int
    stdout: bytes
    stderr: bytes


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

        Raises TimeoutError where it takes longer, ValueError for a request that is a stream (`watch`, `exec`, attach,
        port-forward, logs that are followed).
        """
        path, _, query = target.partition("?")
        asked = _request(method, target, headers, body)
        try:
            return self._answered(asked, path, query, limit)
        except ApiError as error:
            status = error.status()
            return int(status["code"]), json.dumps(status).encode()

    def watch(
        self, target: str, headers: Mapping[str, str] | None = None, limit: float = 3600.0
    ) -> Iterator[dict[str, Any]]:
        """Watch: events as the API server sends them, `{"type": "ADDED", "object": …}`.

        The watch is open when this returns. Time passes while an event is asked for and none has come yet.

        Args:
            target: path and query, percent-encoded; `watch=true` may be left out.
            headers: "Accept".
            limit: seconds of the cluster's time to wait for the next event; then the iteration ends.

        The iteration also ends where the server ends the watch (`timeoutSeconds`, an ERROR event). Raises Refused.
        """
        asked = _request("GET", target, headers, b"")
        answer = self._api.handle(replace(asked, query=(*asked.query, ("watch", "true"))))
        if not isinstance(answer, Watch):
            if isinstance(answer, Response):
                raise Refused(answer.status, json.loads(answer.body))
            raise ValueError(f"{target} cannot be watched")
        return self._events(_Watching(self._kernel, answer), limit)

    def _events(self, watching: _Watching, limit: float) -> Iterator[dict[str, Any]]:
        try:
            while watching.sent or (not watching.ended and self._until(watching.told, limit) and watching.sent):
                yield json.loads(watching.sent.popleft())
        finally:
            watching.stop()

    def logs(self, namespace: str, pod: str, container: str = "", *, previous: bool = False) -> bytes:
        """The log of a container, as far as it was written. Raises Refused."""
        query = {"container": container, "previous": "true" if previous else ""}
        asked = urlencode({key: value for key, value in query.items() if value})
        status, body = self.request("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log?{asked}")
        if status != 200:
            raise Refused(status, json.loads(body))
        return body

    def exec(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        container: str | None = None,
        stdin: bytes = b"",
        limit: float = 3600.0,
    ) -> Completed:
        """Run a command in a container to its end, which takes the cluster's time only.

        Args:
            namespace: the Pod's.
            pod: its name.
            command: program and arguments; no shell reads them.
            container: None for the Pod's first.
            stdin: what it reads.
            limit: seconds of the cluster's time that it may take.

        Raises NotRunning, ProgramNotFound, TimeoutError.
        """
        process = self._world.exec(namespace, pod, container, list(command), stdin=bool(stdin))
        written = {1: bytearray(), 2: bytearray()}
        process.on_output(lambda descriptor, data: written[descriptor].extend(data))
        process.feed(stdin)
        process.close_stdin()
        try:
            code = drive(self._kernel, self._clock, process.wait(), limit)
        except TimeoutError_ as error:
            process.kill(9)
            self._kernel.run()
            raise TimeoutError(f"{command[0]} has not ended within {limit:g} s") from error
        return Completed(code, bytes(written[1]), bytes(written[2]))

    def wait(self, condition: Callable[[], T], limit: float = 3600.0) -> T:
        """Let time pass until something holds, and return what it was.

        Args:
            condition: is asked whenever something may have happened; whatever is true in Python ends the wait.
            limit: seconds of the cluster's time.

        Raises TimeoutError.
        """
        found: list[T] = []

        def holds() -> bool:
            found[:] = [condition()]
            return bool(found[0])

        if not self._until(holds, limit):
            raise TimeoutError(f"it does not hold after {limit:g} s")
        return found[0]

    def _until(self, holds: Callable[[], bool], limit: float) -> bool:
        """Jump from timer to timer until something holds; whether it does, after at most so many seconds."""
        end = self._clock.time + limit
        while True:
            due = self._kernel.run()
            if holds():
                return True
            if due is None or due > end:
                self.pass_time(end - self._clock.time)
                return holds()
            self._clock.time = max(self._clock.time, due)

    def _answered(self, asked: Request, path: str, query: str, limit: float) -> tuple[int, bytes]:
        if asked.path == HOST_PORTS:
            return 200, json.dumps(self._host_ports()).encode()
        if asked.path.startswith(f"{OUTSIDE}/"):
            rest = path.removeprefix(OUTSIDE) + (f"?{query}" if query else "")
            return self._fetched(asked, "outside", proxying.to_outside(asked.method, rest), limit)
        answer = self._api.handle(asked)
        if asked.method != "GET":
            self._kernel.run()
        match answer:
            case Response():
                return answer.status, answer.body
            case Connect() if answer.kind == "proxy":
                to = proxying.passage(self._store, answer, path, query, asked.headers)
                if isinstance(to, proxying.Proxied):
                    return to.status, to.body
                return self._fetched(asked, self._control_plane, to, limit)
            case Connect() if answer.kind == "log":
                return 200, self._log(answer)
        raise ValueError(f"{asked.method} {path} answers with a stream")

    def _log(self, connect: Connect) -> bytes:
        """A log that is not followed. Raises ApiError, ValueError."""
        options = options_of(dict(connect.query), self._store.now())
        if options.follow:
            raise ValueError("a log that is followed is a stream")
        pod = targets.pod_of(self._store, connect)
        if not pod["spec"].get("nodeName"):
            return b""
        targets.check_loggable(pod, connect.container, previous=options.previous)
        try:
            view = self._world.logs(connect.namespace, connect.name, connect.container, previous=options.previous)
        except NotRunning as error:
            raise bad_request(str(error)) from error
        return Cutter(options).existing(view.lines)

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
        address = (self._world.control_plane_ip, port)
        try:
            return self._driven(asked, "host", proxying.Passage(address, "GET", target), limit).body
        except TimeoutError:
            raise
        except (OSError, proxying.BadAnswer) as error:
            raise ConnectionResetError(str(error)) from error

    def _fetched(self, asked: Request, source: str | Key, to: proxying.Passage, limit: float) -> tuple[int, bytes]:
        try:
            answer = self._driven(asked, source, to, limit)
        except TimeoutError:
            raise
        except (OSError, proxying.BadAnswer) as error:
            raise targets.unavailable(f"error trying to reach service: {error}") from error
        return answer.status, answer.body

    def _driven(self, asked: Request, source: str | Key, to: proxying.Passage, limit: float) -> proxying.Proxied:
        """Carry a request through the network. Raises TimeoutError after the limit, OSError, BadAnswer."""
        end = self.now + limit
        try:
            return drive(self._kernel, self._clock, self._exchange(asked, source, to), limit)
        except TimeoutError_ as error:
            self.pass_time(end - self.now)
            raise TimeoutError(str(error)) from error

    async def _exchange(self, asked: Request, source: str | Key, to: proxying.Passage) -> proxying.Proxied:
        """Ask a server inside of the network. Raises OSError, BadAnswer."""
        ip, port = to.address
        try:
            stream = await with_timeout(CONNECT_SECONDS, self._world.dial(source, ip, port))
        except TimeoutError_ as error:
            raise OSError(f"dial tcp {ip}:{port}: i/o timeout") from error
        except (NetworkError, NotRunning) as error:
            raise OSError(f"dial tcp {ip}:{port}: connect: {error}") from error
        return await proxying.fetch(stream, to, asked.headers.items(), asked.body)


def _request(method: str, target: str, headers: Mapping[str, str] | None, body: bytes) -> Request:
    lower = {key.lower(): value for key, value in (headers or {}).items()}
    return Request(method, *_split(target), lower, body)


@lru_cache(4096)
def _split(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The decoded path and the query of a target."""
    path, _, query = target.partition("?")
    return unquote(path), tuple(parse_qsl(query, keep_blank_values=True))


class _Watching:
    """An open watch.

    Attributes:
        sent: encoded events that nobody has taken yet.
        ended: whether the server has ended it.
    """

    def __init__(self, kernel: Kernel, watch: Watch) -> None:
        self.sent: deque[bytes] = deque()
        self.ended = False
        self._kernel = kernel
        self._bookmark = watch.bookmark
        self._timers: list[Timer] = [kernel.call_later(BOOKMARK_SECONDS, self._tick)]
        if watch.timeout is not None:
            self._timers.append(kernel.call_later(watch.timeout, self._end))
        self._stop = watch.start(self.sent.append, self._end)

    def told(self) -> bool:
        """Whether there is something to take, or nothing will come any more."""
        return bool(self.sent) or self.ended

    def stop(self) -> None:
        """Watch no more."""
        self._stop()
        for timer in self._timers:
            timer.cancel()

    def _tick(self) -> None:
        if (event := self._bookmark()) is not None:
            self.sent.append(event)
        self._timers[0] = self._kernel.call_later(BOOKMARK_SECONDS, self._tick)

    def _end(self) -> None:
        self.ended = True
