"""NodePorts on the learner's host: one listening socket on 127.0.0.1 for each TCP node port of a Service.

The port has the node port's own number where that is free, else any, until the own one is free after all;
`/embedded/v1/host-ports` tells which, and an Event of the Service tells who reads `kubectl describe`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from grader.embedded.core.events import Recorder
from grader.embedded.core.kernel import Stream
from grader.embedded.core.store import Change, Obj, Store
from grader.embedded.server.driver import break_off, splice

HOST = "127.0.0.1"
TRY_AGAIN_SECONDS = 2.0
"""How long a port that somebody else holds is left alone: each change of a Service asks for all of them."""
log = logging.getLogger(__name__)

Dial = Callable[[int], Awaitable[Stream]]
"""Connects to a node port as the learner's host does. Raises OSError where it is refused or times out."""


class HostPorts:
    """Listens for every node port that a Service has, from the moment that it has it."""

    def __init__(self, store: Store, dial: Dial) -> None:
        self._store = store
        self._dial = dial
        self._recorder = Recorder(store)
        self._servers: dict[int, asyncio.Server | None] = {}
        self._tried: dict[int, float] = {}
        self._waiting = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._unsubscribe = store.subscribe(self._changed)
        self._schedule()

    async def addresses(self) -> dict[int, str]:
        """Node port → "127.0.0.1:port", once every Service known now has its sockets."""
        await self._adjust(again=True)
        return {
            port: f"{HOST}:{_bound(server)}" for port, server in sorted(self._servers.items()) if server is not None
        }

    async def close(self) -> None:
        """Listen no more and break all connections off."""
        self._unsubscribe()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers.values():
            if server is not None:
                server.close()

    def _changed(self, change: Change) -> None:
        if change.resource == "services":
            self._schedule()

    def _schedule(self) -> None:
        if self._waiting:  # that one sees this change too
            return
        self._waiting = True
        task = asyncio.create_task(self._adjust())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _adjust(self, *, again: bool = False) -> None:
        """Open and close sockets until they are those that the Services ask for; `again`: try for those held, too."""
        async with self._changing:
            self._waiting = False
            await self._open_and_close(again=again)

    async def _open_and_close(self, *, again: bool) -> None:
        wanted = node_ports(self._store)
        for port in [port for port in self._servers if port not in wanted]:
            server = self._servers.pop(port)
            self._tried.pop(port, None)
            if server is not None:
                server.close()
        for port in sorted(wanted):
            held = self._servers.get(port)
            if held is None:
                self._tried[port] = asyncio.get_running_loop().time()
                self._servers[port] = await self._listen(port, port) or await self._listen(port, 0)
                self._tell(port)
            elif _bound(held) != port and (again or self._due(port)) and (own := await self._listen(port, port)):
                self._servers[port] = own
                held.close()

    def _due(self, port: int) -> bool:
        """Tell whether to try again for a port that somebody else held a moment ago."""
        now = asyncio.get_running_loop().time()
        if now < self._tried.get(port, -TRY_AGAIN_SECONDS) + TRY_AGAIN_SECONDS:
            return False
        self._tried[port] = now
        return True

    def _tell(self, port: int) -> None:
        """Record where a node port is reached that is not to be had on this machine."""
        server = self._servers[port]
        if server is not None and _bound(server) == port:
            return
        instead = (
            f"it is reached at http://{HOST}:{_bound(server)} instead" if server else "it is not reached from here"
        )
        message = f"Port {port} of this machine is held by another program or cluster: {instead}"
        for service in self._store.list("services"):
            if port in _tcp_node_ports(service):
                self._recorder.event(service, "Warning", "HostPortTaken", message, "embedded-cluster")

    async def _listen(self, port: int, number: int) -> asyncio.Server | None:
        """Listen for a node port under this number; None where it is taken."""

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accepted(port, reader, writer)

        try:
            return await asyncio.start_server(accepted, HOST, number)
        except OSError as error:
            level = logging.DEBUG if port in self._servers else logging.WARNING  # once is enough
            log.log(level, "node port %d cannot be bound as %s:%d: %s", port, HOST, number, error)
            return None

    async def _accepted(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client with the emulated network; where that refuses, the client sees a reset."""
        try:
            stream = await self._dial(port)
        except OSError:
            break_off(writer)
            return
        await splice(stream, reader, writer)


def node_ports(store: Store) -> set[int]:
    """The TCP node ports of all Services."""
    return {port for service in store.list("services") for port in _tcp_node_ports(service)}


def _tcp_node_ports(service: Obj) -> set[int]:
    return {
        port["nodePort"]
        for port in service.get("spec", {}).get("ports", ())
        if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
    }


def _bound(server: asyncio.Server) -> int:
    """The port on which a server listens."""
    return int(server.sockets[0].getsockname()[1])
