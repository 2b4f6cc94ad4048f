"""BusyBox's `ping`: Service addresses answer no ICMP, Pods do.

The network has no ICMP of its own: an address answers where it takes or refuses a TCP connection at once.
"""

from __future__ import annotations

from grader.embedded.core.kernel import TimeoutError_, sleep, with_timeout
from grader.embedded.core.programs.host import ConnectionRefused_, NetworkError
from grader.embedded.core.programs.process import SIGINT, Context
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve

SERVICE_NETWORK = "10.96."
PROBE_PORT = 1


async def main(context: Context) -> int:
    """`ping [-c count] [-w deadline] [-W seconds] host`."""
    args, values, names = list(context.args), dict[str, float](), list[str]()
    while args:
        word = args.pop(0)
        if word[:2] in {"-c", "-w", "-W", "-i", "-s"}:
            values[word[1]] = float(word[2:] or (args.pop(0) if args else "1"))
        elif not word.startswith("-"):
            names.append(word)
    if not names:
        raise context.fail(1, "Usage: ping [OPTIONS] HOST")
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
            context.print(f"64 bytes from {address}: seq={sent - 1} ttl=64 time=0.060 ms")
            if sent < count:
                await sleep(values.get("i", 1.0))
        else:
            await sleep(
                min(wait if sent >= count else values.get("i", 1.0), deadline - context.host.kernel.monotonic())
            )
    context.process.on_signal(SIGINT, None)
    return summary()


async def _answers(context: Context, address: str) -> bool:
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
