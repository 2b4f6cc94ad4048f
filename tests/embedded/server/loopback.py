"""A client and the server's HTTP side, joined by a real socket on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from grader.embedded.server.http import Connection, Handler

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


def talk(handler: Handler, client: Talk) -> Any:
    async def main() -> Any:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Connection(reader, writer, handler).serve()

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(client(reader, writer), 5)
            finally:
                writer.close()
                await writer.wait_closed()

    return asyncio.run(main())
