"""A node port that somebody else holds on this machine is asked for now and then, not with each change of a Service."""

from __future__ import annotations

import asyncio
import socket

import pytest

from grader.embedded.core.kernel import Stream, VirtualClock
from grader.embedded.core.store import Store
from grader.embedded.server import hostports


def test_many_changes_ask_for_a_held_port_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    start = asyncio.start_server

    async def counted(accepted: object, host: str, port: int) -> asyncio.Server:
        asked.append(port)
        return await start(accepted, host, port)  # type: ignore[arg-type]

    async def dial(port: int) -> Stream:
        raise ConnectionRefusedError

    async def play(held: int) -> str:
        store = Store(VirtualClock(0.0).now)
        ports = hostports.HostPorts(store, dial)
        for number in range(30):
            spec = {"ports": [{"port": 80, "nodePort": held, "protocol": "TCP"}]}
            store.create("services", {"metadata": {"name": f"web-{number}", "namespace": "default"}, "spec": spec})
            await asyncio.sleep(0)
        where = (await ports.addresses())[held]
        await ports.close()
        return where

    monkeypatch.setattr(asyncio, "start_server", counted)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        held = holder.getsockname()[1]
        assert asyncio.run(play(held)) != f"127.0.0.1:{held}"
    assert asked.count(held) <= 2
