from __future__ import annotations

import asyncio

import pytest

from grader.embedded.core.kernel import Event, Kernel, Stream, pair, sleep
from grader.embedded.server.driver import Driver, WallClock, splice


def test_a_timer_of_the_kernel_is_awaited_in_real_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        driver = Driver(Kernel(WallClock()), loop)
        before = loop.time()
        await driver.wait(sleep(0.05))
        return loop.time() - before

    assert 0.045 < asyncio.run(main()) < 1


def test_a_failure_inside_is_raised_outside() -> None:
    async def fail() -> None:
        await sleep(0.001)
        raise ValueError("inside")

    async def main() -> None:
        await Driver(Kernel(WallClock()), asyncio.get_running_loop()).wait(fail())

    with pytest.raises(ValueError, match="inside"):
        asyncio.run(main())


def test_cancelling_outside_cancels_inside() -> None:
    ended: list[str] = []

    async def inside() -> None:
        try:
            await Event().wait()
        finally:
            ended.append("inside")

    async def main() -> None:
        driver = Driver(Kernel(WallClock()), asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driver.wait(inside()), 0.02)
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert ended == ["inside"]


def test_a_bug_in_one_callback_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        kernel = Kernel(WallClock())
        driver = Driver(kernel, asyncio.get_running_loop())
        kernel.call_soon(broken)
        await asyncio.wait_for(driver.wait(sleep(0.01)), 5)

    asyncio.run(main())
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("shift", [-3600.0, 86400.0])
def test_timers_go_on_where_the_clock_of_day_is_set(shift: float) -> None:
    set_to = 0.0

    async def main() -> tuple[float, float]:
        nonlocal set_to
        clock = WallClock(day=lambda: 1_790_000_000.0 + set_to)
        driver = Driver(Kernel(clock), asyncio.get_running_loop())
        early = asyncio.create_task(driver.wait(sleep(60)))
        waiting = asyncio.create_task(driver.wait(sleep(0.05)))
        await asyncio.sleep(0)
        before = asyncio.get_running_loop().time()
        set_to = shift
        await asyncio.wait_for(waiting, 5)
        assert not early.done()
        early.cancel()
        return asyncio.get_running_loop().time() - before, clock.now()

    waited, shown = asyncio.run(main())
    assert waited < 5
    assert shown == 1_790_000_000.0 + shift


def connected(near: Stream) -> asyncio.Task[bytes]:
    async def main() -> bytes:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await splice(near, reader, writer)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"question")
            writer.write_eof()
            try:
                return await reader.read()
            finally:
                writer.close()

    return asyncio.create_task(main())


def test_a_half_closed_connection_still_gets_its_answer() -> None:
    async def main() -> tuple[bytes, bytes]:
        near, far = pair()
        client = connected(near)
        asked = bytearray()
        ended = asyncio.Event()
        far.on_data(asked.extend)
        far.on_close(lambda reset: ended.set())
        await ended.wait()
        far.send(b"answer")
        far.close()
        return bytes(asked), await client

    assert asyncio.run(main()) == (b"question", b"answer")


def test_a_reset_inside_is_a_reset_outside() -> None:
    async def main() -> None:
        near, far = pair()
        client = connected(near)
        await asyncio.sleep(0.01)
        far.reset()
        with pytest.raises(ConnectionResetError):
            await client

    asyncio.run(main())
