"""BusyBox's `ping`: Service addresses answer no ICMP, Pods do.

The network has no ICMP of its own: an address answers where it takes or refuses a TCP connection at once.
"""

from __future__ import annotations

from grader.embedded.core.kernel import TimeoutError_, sleep, with_timeout
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import ConnectionRefused_, NetworkError
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve
from grader.embedded.core.programs.signals import SIGINT

SERVICE_NETWORK = "10.96."
PROBE_PORT = 1


async def main(context: ProgramContext) -> int:
    """`ping [-4nq] [-c count] [-w deadline] [-W seconds] [-i seconds] host`."""
    asked = options.read(context, "4nqc:w:W:i:s:", usage="ping [OPTIONS] HOST")
    values, names = dict[str, float](), asked.rest
    for letter in filter(asked.given.__contains__, "cwWis"):
        if not asked.last(letter).replace(".", "", 1).isdigit():
            raise context.fail(1, f"ping: invalid number '{asked.last(letter)}'")
        values[letter] = float(asked.last(letter))
    if not names:
        raise options.show_usage(context, "ping [OPTIONS] HOST")
    try:
        address = (await resolve(context.host, names[0]))[0]
    except (NameNotFound, NameserverTimeout):
        raise context.fail(1, f"ping: bad address '{names[0]}'") from None
    context.print(f"PING {names[0]} ({address}): 56 data bytes")
    sent = received = 0
    count, wait = values.get("c", 1e9), values.get("W", 10.0)
    deadline = context.host.kernel.monotonic() + values.get("w", 1e9)

    def summary() -> int:
        lost = round(100 * (sent - received) / sent) if sent else 0
        text = f"{sent} packets transmitted, {received} packets received, {lost}% packet loss"
        context.print("", f"--- {names[0]} ping statistics ---", text)
        if received:
            context.print("round-trip min/avg/max = 0.050/0.060/0.070 ms")
        return 0 if received else 1

    context.process.on_signal(SIGINT, lambda: context.process.exit(summary()))
    while sent < count and context.host.kernel.monotonic() < deadline:
        sent += 1
        if await _answers(context, address):
            received += 1
            if "q" not in asked:
                context.print(f"64 bytes from {address}: seq={sent - 1} ttl=64 time=0.060 ms")
            if sent < count:
                await sleep(values.get("i", 1.0))
        else:
            await sleep(
                min(wait if sent >= count else values.get("i", 1.0), deadline - context.host.kernel.monotonic())
            )
    context.process.on_signal(SIGINT, None)
    return summary()


async def _answers(context: ProgramContext, address: str) -> bool:
    if address in {context.host.ip, "127.0.0.1"}:
        return True
    if address.startswith(SERVICE_NETWORK):
        return False
    try:
        (await with_timeout(0.001, context.host.connect(address, PROBE_PORT))).close()
    except ConnectionRefused_:
        return True
    except (NetworkError, TimeoutError_):
        return False
    return True
