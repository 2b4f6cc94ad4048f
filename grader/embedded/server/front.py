"""The front door: who may come in, and each request's way to the API server, a watch stream or a connection."""

from __future__ import annotations

import asyncio
import hmac
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from grader.embedded.core.api.access.rbac import bearer
from grader.embedded.core.api.http.messages import ADMIN, Answer, Connect, Request, Response, User, Watch
from grader.embedded.core.api.http.negotiate import encode
from grader.embedded.core.api.http.pretty import indented, is_pretty
from grader.embedded.core.api.http.status import ApiError
from grader.embedded.server import handshake
from grader.embedded.server.http import Disconnected, Exchange
from grader.embedded.server.streams import Body, Frames, Outlet

BOOKMARK_SECONDS = 60.0  # seconds between bookmarks (k8s.io/apiserver storage/cacher bookmarkFrequency)
WATCH_SECONDS = (1800.0, 3600.0)  # k8s.io/apiserver endpoints/handlers/get.go: minRequestTimeout, up to twice that
JSON_TYPE = ("content-type", "application/json")

log = logging.getLogger(__name__)

Extension = Callable[[Exchange], Awaitable[None]]


class Front:
    """Answers every request of the API server's port.

    Args:
        answer: the API server of the core.
        connect: carries a connection to a Pod or Service out.
        token: the administrator's bearer token.
        authenticate: whose another token is, None for nobody's.
        extensions: handlers of the cluster's own paths, by prefix.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        connect: Callable[[Exchange, Connect], Awaitable[None]],
        token: str,
        extensions: dict[str, Extension],
        authenticate: Callable[[str], User | None] = lambda _: None,
    ) -> None:
        self._authenticate = authenticate
        self._answer = answer
        self._connect = connect
        self._authorization = f"Bearer {token}"
        self._extensions = extensions

    async def handle(self, exchange: Exchange) -> None:
        """Answer one request; what goes wrong inside becomes a Status of the right code. Raises Disconnected."""
        try:
            await self._handle(exchange)
        except ApiError as error:
            await respond_status(exchange, error.status())
        except handshake.Refused as error:
            await exchange.respond(error.code, [("connection", "close")], error.text.encode())
        except (Disconnected, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("%s %s failed", exchange.method, exchange.path)
            if exchange.status:
                raise Disconnected from error
            await respond_status(exchange, failure(500, "InternalError", f"Internal error occurred: {error!r}"))

    async def _handle(self, exchange: Exchange) -> None:
        user = self._user(exchange)
        for prefix, extension in self._extensions.items() if user is ADMIN else ():
            if exchange.path == prefix or exchange.path.startswith(f"{prefix}/"):
                await extension(exchange)
                return
        request = Request(exchange.method, exchange.path, exchange.query, exchange.headers, exchange.body, user)
        answer = self._answer(request)
        match answer:
            case Response():
                await exchange.respond(answer.status, answer.headers, answer.body)
            case Watch():
                await stream(exchange, answer)
            case Connect():
                await self._connect(exchange, answer)

    def _user(self, exchange: Exchange) -> User:
        """Whose token a request carries, in its header or (a browser's WebSocket) among its subprotocols."""
        given = exchange.headers.get("authorization", "")
        if not given and handshake.PROTOCOL in exchange.headers and (hidden := handshake.bearer(exchange.headers)):
            given = f"Bearer {hidden[0]}"
            exchange.headers[handshake.PROTOCOL] = ", ".join(hidden[1])
        if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._authorization.encode("ascii")):
            return ADMIN
        return bearer(given, self._authenticate)


async def stream(exchange: Exchange, watch: Watch) -> None:
    """Send watch events as they come, until the client goes, the time is up or the server ends the stream."""
    loop = asyncio.get_running_loop()
    seconds = watch.timeout if watch.timeout is not None else random.uniform(*WATCH_SECONDS)
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    def finish() -> None:
        events.put_nowait(None)

    timers: list[asyncio.TimerHandle] = []

    def tick() -> None:
        if (bookmark := watch.bookmark()) is not None:
            events.put_nowait(bookmark)
        timers[1:] = [loop.call_later(BOOKMARK_SECONDS, tick)]

    outlet: Outlet
    if handshake.is_websocket(exchange.headers):
        outlet = await Frames.of_events(exchange)
    else:
        outlet = await Body.open(exchange, watch.headers)
    timers += [loop.call_later(seconds, finish), loop.call_later(BOOKMARK_SECONDS, tick)]
    end = watch.start(events.put_nowait, finish)
    try:
        async with outlet.leaving() as gone:
            gone.add_done_callback(lambda _: finish())
            await _send(outlet, events)
            if not gone.done():
                await outlet.finish()
    finally:
        end()
        for timer in timers:
            timer.cancel()


async def _send(outlet: Outlet, events: asyncio.Queue[bytes | None]) -> None:
    """Send what comes, all that is due at once, until the end comes."""
    while (event := await events.get()) is not None:
        pieces = [event]
        while not events.empty():
            more = events.get_nowait()
            if more is None:
                events.put_nowait(None)
                break
            pieces.append(more)
        await outlet.send(pieces)


def failure(code: int, reason: str, message: str) -> dict[str, Any]:
    """A metav1.Status of a failure."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


async def respond_status(exchange: Exchange, status: dict[str, Any]) -> None:
    """Answer with a Status. Raises Disconnected."""
    pretty = is_pretty(Request(exchange.method, exchange.path, exchange.query, exchange.headers))
    body = indented(status) if pretty else encode(status)
    await exchange.respond(int(status["code"]), [JSON_TYPE], body)
