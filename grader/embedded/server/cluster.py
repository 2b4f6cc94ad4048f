"""One running cluster: the core, and every socket and file that belongs to it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.core.addons import VERSION
from grader.embedded.core.api.access import tokens
from grader.embedded.core.api.connect import proxying
from grader.embedded.core.api.http.messages import Request
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.dnsrecords import DnsReply
from grader.embedded.core.kernel import Kernel, Stream
from grader.embedded.core.store import Store
from grader.embedded.core.world import World
from grader.embedded.server import files
from grader.embedded.server.connections import Connections
from grader.embedded.server.dnsserver import DnsServer
from grader.embedded.server.driver import Driver, WallClock
from grader.embedded.server.front import Front
from grader.embedded.server.hostports import HostPorts
from grader.embedded.server.http import Connection, Exchange
from grader.embedded.server.state import Saver, restore

log = logging.getLogger(__name__)


class Cluster:
    """Everything that one process serves.

    Args:
        name: the cluster's name; its nodes are called after it.
        folder: where its files are.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self._clock = WallClock()
        self._kernel = Kernel(self._clock)
        self._driver = Driver(self._kernel, asyncio.get_running_loop())
        self._store = Store(self._clock.now)
        restore(self._store, folder / "state.json")
        self._tls = files.server_context(folder)
        authority = (folder / "ca.crt").read_text("ascii")
        self._world = World(self._store, self._kernel, name=name, seed=secrets.randbits(64), root_ca=authority)
        self._connections = Connections(self._driver, self._store, self._world)
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> dict[str, Any]:
        """Open all sockets, write the kubeconfig and say where the cluster listens. Raises OSError."""
        self._saver = Saver(self._store, self._folder / "state.json")
        self._world.bootstrap()
        self._kernel.run()
        self._host_ports = HostPorts(self._store, self._dial_node_port)
        self._dns = DnsServer(self._resolve)
        await self._dns.start()
        self._api = ApiServer(self._store, on_error=self._report)
        front = Front(
            self._api.handle,
            self._connections.serve,
            files.token(self._folder),
            {OUTSIDE: self._outside, HOST_PORTS: self._list_host_ports},
            partial(tokens.user_of, self._store),
        )
        self._front = front
        self._server = await self._listen(port or files.remembered_port(self._folder))
        bound = self._server.sockets[0].getsockname()[1]
        files.write_kubeconfig(self._folder, self._name, bound)
        facts = {"pid": os.getpid(), "port": bound, "version": VERSION, "dns": f"{files.HOST}:{self._dns.port}"}
        files.write_endpoint(self._folder, facts)
        return facts

    def warm(self) -> None:
        """Load, once others wait for nothing any more, what the first request of its kind would have to wait for."""
        from grader.embedded.core.api.write.decode import read_yaml

        self._api.warm()
        read_yaml(b"{}")

    async def close(self) -> None:
        """Close all sockets, break connections off and save the state."""
        self._server.close()
        for task in tuple(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._host_ports.close()
        await self._dns.close()
        self._driver.stop()
        await self._saver.close()

    async def _listen(self, port: int) -> asyncio.Server:
        try:
            return await asyncio.start_server(self._accepted, files.HOST, port, ssl=self._tls)
        except OSError:
            if not port:
                raise
            log.warning("port %d is taken; another one is chosen", port)
            return await asyncio.start_server(self._accepted, files.HOST, 0, ssl=self._tls)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await Connection(reader, writer, self._front.handle).serve()
        except asyncio.CancelledError:
            return  # asyncio's streams would report it as a failure; nothing comes after this
        finally:
            self._clients.discard(task)

    def _resolve(self, name: str, type_: str) -> DnsReply:
        return self._world.nameserver.ask_any(name, type_)

    def _report(self, error: Exception, request: Request) -> None:
        log.error("%s %s failed", request.method, request.path, exc_info=error)

    async def _dial_node_port(self, port: int) -> Stream:
        return await self._connections.dial("host", self._world.control_plane_ip, port)

    async def _outside(self, exchange: Exchange) -> None:
        target = exchange.raw_path.removeprefix(OUTSIDE) or "/"
        if exchange.raw_query:
            target += f"?{exchange.raw_query}"
        await self._connections.fetch(exchange, "outside", proxying.to_outside(exchange.method, target))

    async def _list_host_ports(self, exchange: Exchange) -> None:
        body = json.dumps(await self._host_ports.addresses()).encode()
        await exchange.respond(200, [("content-type", "application/json")], body)
