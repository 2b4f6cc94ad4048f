from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.core.kernel import (
    Cancelled,
    ConnectionReset_,
    Event,
    Kernel,
    Queue,
    Stream,
    TimeoutError_,
    VirtualClock,
    drive,
    pair,
    sleep,
    turn,
    with_timeout,
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1000.0)


@pytest.fixture
def kernel(clock: VirtualClock) -> Kernel:
    return Kernel(clock)


def test_sleep_takes_exactly_its_time_on_the_injected_clock(kernel: Kernel, clock: VirtualClock) -> None:
    drive(kernel, clock, sleep(2.5))
    assert clock.now() == 1002.5


def test_an_endless_loop_keeps_no_timer_from_firing(kernel: Kernel, clock: VirtualClock) -> None:
    async def spin() -> None:
        while True:
            await turn()

    kernel.spawn(spin())
    fired: list[bool] = []
    kernel.call_later(1.0, lambda: fired.append(True))
    kernel.run(100)
    clock.time += 2.0
    kernel.run(100)
    assert fired


@given(st.lists(st.floats(0, 100), max_size=20))
def test_timers_fire_in_order_of_time_then_of_registration(delays: list[float]) -> None:
    clock = VirtualClock(0.0)
    kernel = Kernel(clock)
    fired: list[int] = []
    for index, delay in enumerate(delays):
        kernel.call_later(delay, lambda index=index: fired.append(index))
    while (due := kernel.run()) is not None:
        clock.time = due
    assert fired == sorted(range(len(delays)), key=lambda index: (delays[index], index))


def test_run_returns_when_the_next_timer_is_due_and_forgets_cancelled_ones(kernel: Kernel) -> None:
    assert kernel.run() is None
    soon = kernel.call_later(1, lambda: None)
    kernel.call_later(5, lambda: None)
    assert kernel.run() == 1001.0
    soon.cancel()
    assert kernel.run() == 1005.0


def test_wake_is_called_for_work_from_outside_only(kernel: Kernel) -> None:
    woken: list[str] = []
    kernel.wake = lambda: woken.append("outside")

    async def inner() -> None:
        kernel.spawn(turn())
        await turn()

    kernel.spawn(inner())
    assert woken == ["outside"]
    kernel.run()
    assert woken == ["outside"]
    kernel.call_later(1, lambda: None)
    assert len(woken) == 2


def test_an_endless_loop_hands_control_back(kernel: Kernel) -> None:
    async def spin() -> None:
        while True:
            await turn()

    task = kernel.spawn(spin())
    assert kernel.run(max_steps=100) == 1000.0
    task.cancel()
    assert kernel.run() is None
    assert task.done


def test_await_task_gives_result_and_error(kernel: Kernel, clock: VirtualClock) -> None:
    async def fail() -> int:
        await sleep(1)
        raise ValueError("no")

    async def both() -> tuple[float, str]:
        good = kernel.spawn(with_timeout(5, sleep(1)))
        bad = kernel.spawn(fail())
        await good
        with pytest.raises(ValueError, match="no"):
            await bad
        return clock.now(), "ok"

    with pytest.raises(ValueError, match="no"):  # fails while `both` waits for the other: nobody awaits it yet
        drive(kernel, clock, both())


def test_unawaited_failures_go_to_on_error(kernel: Kernel) -> None:
    seen: list[str] = []
    kernel.on_error = lambda task, error: seen.append(f"{task.name}: {error}")

    async def fail() -> None:
        raise ValueError("no")

    kernel.spawn(fail(), "t")
    kernel.run()
    assert seen == ["t: no"]


def test_with_timeout_cancels_what_is_late(kernel: Kernel, clock: VirtualClock) -> None:
    ended: list[str] = []

    async def late() -> None:
        try:
            await sleep(60)
        except Cancelled:
            ended.append("cancelled")
            raise

    with pytest.raises(TimeoutError_):
        drive(kernel, clock, with_timeout(3, late()))
    kernel.run()
    assert clock.now() == 1003.0
    assert ended == ["cancelled"]


def test_cancelling_the_outer_task_cancels_what_it_times(kernel: Kernel) -> None:
    event = Event()
    states: list[str] = []

    async def inner() -> None:
        try:
            await event.wait()
        finally:
            states.append("ended")

    outer = kernel.spawn(with_timeout(60, inner()))
    kernel.run()
    outer.cancel()
    assert kernel.run() is None
    assert outer.cancelled
    assert states == ["ended"]


def test_queue_is_first_in_first_out(kernel: Kernel, clock: VirtualClock) -> None:
    queue: Queue[int] = Queue()

    async def take() -> list[int]:
        return [await queue.get() for _ in range(3)]

    kernel.call_later(1, lambda: queue.put(2))
    kernel.call_later(2, lambda: queue.put(3))
    queue.put(1)
    assert drive(kernel, clock, take()) == [1, 2, 3]


def test_a_wait_that_nothing_can_end_is_told(kernel: Kernel, clock: VirtualClock) -> None:
    with pytest.raises(TimeoutError_, match="for ever"):
        drive(kernel, clock, Event().wait())


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_streams_carry_all_bytes_in_order_and_then_the_end(chunks: list[bytes]) -> None:
    clock = VirtualClock()
    kernel = Kernel(clock)
    left, right = pair()

    async def read() -> bytes:
        got = b""
        while data := await right.recv(7):
            got += data
        return got

    for index, chunk in enumerate(chunks):
        kernel.call_later(index % 3, lambda: None)
        left.send(chunk)
    left.close()
    assert drive(kernel, clock, read()) == b"".join(chunks)


def test_half_close_leaves_the_other_direction_open(kernel: Kernel, clock: VirtualClock) -> None:
    left, right = pair()
    left.close()
    right.send(b"answer")
    right.close()
    assert drive(kernel, clock, left.recv()) == b"answer"
    assert drive(kernel, clock, left.recv()) == b""


def test_reset_breaks_both_directions(kernel: Kernel, clock: VirtualClock) -> None:
    left, right = pair()
    left.reset()
    with pytest.raises(ConnectionReset_):
        drive(kernel, clock, right.recv())
    with pytest.raises(ConnectionReset_):
        right.send(b"x")


def test_callbacks_get_what_came_before_them() -> None:
    left, right = pair()
    left.send(b"early")
    got: list[bytes | bool] = []
    right.on_data(got.append)
    right.on_close(got.append)
    left.send(b"late")
    left.close()
    assert got == [b"early", b"late", False]


def test_pair_ends_know_nothing_of_addresses_until_the_network_says() -> None:
    left, _ = pair()
    assert isinstance(left, Stream)
    assert left.peer == ("", 0)
