"""Carries connections to Pods and Services out: exec, attach, log, port-forward, proxy."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping

from grader.embedded.core.api.connect import proxying, targets
from grader.embedded.core.api.connect.logs import Cutter, options_of
from grader.embedded.core.api.http.messages import Connect
from grader.embedded.core.api.http.status import bad_request
from grader.embedded.core.kernel import Stream, TimeoutError_, with_timeout
from grader.embedded.core.objects import Key
from grader.embedded.core.programs.host import NetworkError
from grader.embedded.core.programs.images.running import ProgramNotFound
from grader.embedded.core.store import Store
from grader.embedded.core.world import NotRunning, World
from grader.embedded.server import handshake, portforward, remotecommand, remotespdy
from grader.embedded.server.driver import Driver
from grader.embedded.server.front import failure, respond_status
from grader.embedded.server.http import Disconnected, Exchange
from grader.embedded.server.streams import Body, Frames, Outlet

TEXT = (("content-type", "text/plain"),)
CONNECT_SECONDS = 30.0  # k8s.io/apimachinery/pkg/util/net: the transport's dialer


class Connections:
    """Connects clients of the API server with what runs in the emulated cluster."""

    def __init__(self, driver: Driver, store: Store, world: World) -> None:
        self._driver = driver
        self._store = store
        self._world = world
        self._control_plane = next(name for name, ip in world.node_ips.items() if ip == world.control_plane_ip)

    async def serve(self, exchange: Exchange, connect: Connect) -> None:
        """Carry one connection out, to its end. Raises ApiError where it cannot begin, Disconnected."""
        match connect.kind:
            case "exec" | "attach":
                await self._command(exchange, connect)
            case "log":
                await self._log(exchange, connect)
            case "portforward":
                await self._forward(exchange, connect)
            case "proxy":
                await self._proxy(exchange, connect)

    async def dial(self, source: str | Key, ip: str, port: int) -> Stream:
        """Connect inside of the emulated network. Raises OSError with the words of Go's net package."""
        try:
            return await self._driver.wait(with_timeout(CONNECT_SECONDS, self._world.dial(source, ip, port)), "dial")
        except TimeoutError_ as error:
            raise OSError(f"dial tcp {ip}:{port}: i/o timeout") from error
        except (NetworkError, NotRunning) as error:
            raise OSError(f"dial tcp {ip}:{port}: connect: {error}") from error

    async def fetch(self, exchange: Exchange, source: str | Key, to: proxying.Passage) -> None:
        """Pass a request on to an address inside of the network and the answer back. Raises Disconnected."""
        asking = asyncio.create_task(self._ask(exchange, source, to))
        try:
            async with exchange.leaving() as gone:
                await asyncio.wait({gone, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Disconnected
            answer = asking.result()
        except (OSError, proxying.BadAnswer) as error:
            message = f"error trying to reach service: {error}"
            await respond_status(exchange, failure(503, "ServiceUnavailable", message))
        else:
            await exchange.respond(answer.status, answer.headers, answer.body)
        finally:
            asking.cancel()

    async def _ask(self, exchange: Exchange, source: str | Key, to: proxying.Passage) -> proxying.Proxied:
        """Ask a server inside of the network. Raises OSError, BadAnswer."""
        stream = await self.dial(source, *to.address)
        return await self._driver.wait(proxying.fetch(stream, to, exchange.headers.items(), exchange.body), "proxy")

    async def _command(self, exchange: Exchange, connect: Connect) -> None:
        query = dict(connect.query)
        targets.pod_of(self._store, connect)
        if not self._world.runs(connect.namespace, connect.name, connect.container):
            missing = (
                f'container not found ("{connect.container}")'
                if connect.kind == "exec"
                else f"container {connect.container} not found in pod {connect.name}_{connect.namespace}"
            )
            await exchange.respond(500, TEXT, f"{missing}\n".encode())  # the kubelet's words, which are no Status
            return
        upgradable(exchange)
        stdin, tty = (remotecommand.truth(query, name) for name in ("stdin", "tty"))
        if not any(remotecommand.truth(query, name) for name in ("stdin", "stdout", "stderr")):
            raise handshake.Refused(
                400, "you must specify at least 1 of stdin, stdout, stderr"
            )  # remotecommand/httpstream.go
        command = [value for name, value in connect.query if name == "command"]
        channels = await self._channels(exchange, query)
        if channels is None:
            return
        where = (connect.namespace, connect.name, connect.container)
        if connect.kind == "exec" and not command:
            await remotecommand.refuse(channels, "args must not be empty")
            return
        try:
            if connect.kind == "exec":
                process = self._world.exec(*where, command, stdin=stdin, tty=tty)
            else:
                process = self._world.attach(*where)
                if tty:  # the prompt was written before anybody could see it, and is in no log
                    channels.send(remotecommand.STDOUT, self._world.logs(*where).unfinished)
        except (NotRunning, ProgramNotFound) as error:
            await remotecommand.refuse(channels, str(error))
            return
        await remotecommand.serve(self._driver, channels, process, query, own=connect.kind == "exec")

    async def _channels(self, exchange: Exchange, query: Mapping[str, str]) -> remotecommand.Carrier | None:
        """Upgrade the connection of an exec or attach; None where the client has gone or speaks another protocol."""
        if exchange.headers.get("upgrade", "").lower() != remotespdy.UPGRADE:
            channels = remotecommand.Channels(await exchange.websocket(remotecommand.offered(exchange.headers)))
            channels.greet(query)
            return channels
        offered = exchange.headers.get("x-stream-protocol-version", "")
        if not remotespdy.agreed(offered):
            await exchange.respond(403, *remotespdy.refusal(offered))
            return None
        agreed = ("x-stream-protocol-version", remotecommand.V4)
        streams = remotespdy.SpdyChannels(
            *await exchange.upgrade([("upgrade", "SPDY/3.1"), ("connection", "Upgrade"), agreed])
        )
        return streams if await streams.opened(remotespdy.expected(query)) else None

    async def _log(self, exchange: Exchange, connect: Connect) -> None:
        options = options_of(dict(connect.query), self._store.now())
        pod = targets.pod_of(self._store, connect)
        if not pod["spec"].get("nodeName"):
            await exchange.respond(200, TEXT, b"")
            return
        targets.check_loggable(pod, connect.container, previous=options.previous)
        try:
            view = self._world.logs(connect.namespace, connect.name, connect.container, previous=options.previous)
        except NotRunning as error:
            raise bad_request(str(error)) from error
        cutter = Cutter(options)
        shown = cutter.existing(view.lines)
        outlet: Outlet
        framed = handshake.is_websocket(exchange.headers)
        if not options.follow:
            if framed:
                outlet = await Frames.of_bytes(exchange)
                await outlet.send([shown])
                await outlet.finish()
            else:
                await exchange.respond(200, TEXT, shown)
            return
        later: asyncio.Queue[bytes | None] = asyncio.Queue()
        later.put_nowait(shown)
        end = view.subscribe(lambda line: later.put_nowait(cutter.later(line) if line is not None else None))
        try:
            outlet = await Frames.of_bytes(exchange) if framed else await Body.open(exchange, TEXT)
            async with outlet.leaving() as gone:
                gone.add_done_callback(lambda _: later.put_nowait(None))
                while (data := await later.get()) is not None and not gone.done():
                    await outlet.send([data])
                    if cutter.full:
                        break
                if not gone.done():
                    await outlet.finish()
        finally:
            end()

    async def _forward(self, exchange: Exchange, connect: Connect) -> None:
        pod = targets.pod_of(self._store, connect)
        if (phase := pod.get("status", {}).get("phase")) != "Running":
            raise bad_request(f"unable to forward port because pod is not running. Current status={phase}")
        sandbox = hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()
        where = f'network namespace "/var/run/netns/cni-{pod["metadata"]["uid"]}"'

        async def dial(port: int) -> Stream:
            try:
                return await self.dial((connect.namespace, connect.name), "127.0.0.1", port)
            except OSError as error:  # containerd's words
                words = (
                    f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in {where}: "
                    f'failed to connect to localhost:{port} inside namespace "{sandbox}", '
                    f"IPv4: {str(error).replace('tcp', 'tcp4', 1)} "
                    f"IPv6 dial tcp6 [::1]:{port}: connect: connection refused "
                )
                raise portforward.ForwardError(words) from error

        if exchange.headers.get("upgrade", "").lower() == remotespdy.UPGRADE:
            reader, writer, rest = await exchange.upgrade(
                [
                    ("upgrade", "SPDY/3.1"),
                    ("connection", "Upgrade"),
                    ("x-stream-protocol-version", portforward.SPDY_PROTOCOL),
                ]
            )
            await portforward.serve_spdy(reader, writer, rest, dial)
            return
        upgradable(exchange)
        offered = portforward.offered(exchange.headers)
        ports = portforward.ports_of(connect.query) if portforward.TUNNEL not in offered else []
        socket = await exchange.websocket(offered)
        if socket.subprotocol == portforward.TUNNEL:
            await portforward.serve_tunnel(socket, dial)
            return
        await portforward.serve_channels(socket, ports, dial)

    async def _proxy(self, exchange: Exchange, connect: Connect) -> None:
        found = proxying.passage(self._store, connect, exchange.raw_path, exchange.raw_query, exchange.headers)
        if isinstance(found, proxying.Proxied):
            await exchange.respond(found.status, found.headers, found.body)
        else:
            await self.fetch(exchange, self._control_plane, found)


def upgradable(exchange: Exchange) -> None:
    """A connection needs an upgrade (k8s.io/apimachinery pkg/util/proxy/upgradeaware.go). Raises ApiError (400)."""
    if not exchange.headers.get("upgrade") or "upgrade" not in exchange.headers.get("connection", "").lower():
        raise bad_request("Upgrade request required")
