"""`nc`: OpenBSD's in agnhost, BusyBox's elsewhere."""

from __future__ import annotations

from grader.embedded.core.kernel import ConnectionReset_, Event, Queue, Stream, Task, TimeoutError_, with_timeout
from grader.embedded.core.programs.host import Address, AddressInUse, NetworkError
from grader.embedded.core.programs.process import Context
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, is_ipv4, resolve

SERVICES = {80: "http", 443: "https", 53: "domain", 22: "ssh", 8080: "http-alt"}
CONNECT_LIMIT = 127.0


async def main(context: Context) -> int:
    """`nc [-z] [-v] [-n] [-u] [-w seconds] host port`, `nc -l [-k] [-p] port`."""
    args, flags, wait, ports = list(context.args), set[str](), 0.0, list[str]()
    rest: list[str] = []
    while args:
        word = args.pop(0)
        if not word.startswith("-") or len(word) == 1:
            rest.append(word)
            continue
        for index, letter in enumerate(word[1:], 1):
            if letter not in "zvnulkwpqiesN46h":
                raise context.fail(1, f"nc: unrecognized option: {letter}", "usage: nc [-zvul] [-w SEC] HOST PORT")
            if letter in "wpqie":
                value = word[index + 1 :] or (args.pop(0) if args else "")
                if letter == "w" and value.replace(".", "", 1).isdigit():
                    wait = float(value)
                elif letter == "p":
                    ports.append(value)
                break
            flags.add(letter)
    if "l" in flags:
        return await _listen(context, [*ports, *rest], keep="k" in flags)
    if len(rest) != 2 or not rest[1].isdigit():
        raise context.fail(1, "usage: nc [-zvul] [-w SEC] HOST PORT")
    host, port = rest[0], int(rest[1])
    return await Client(context, flags, wait or None, host, port).run()


class Client:
    """A client's run."""

    def __init__(self, context: Context, flags: set[str], wait: float | None, host: str, port: int) -> None:
        self.context = context
        self.flags = flags
        self.wait = wait
        self.name = host
        self.port = port
        self.openbsd = context.image.name == "agnhost" or context.image.flavour == "debian"
        self.protocol = "udp" if "u" in flags else "tcp"

    async def run(self) -> int:
        """Connect and copy; returns the exit code."""
        try:
            address = (await resolve(self.context.host, self.name))[0]
        except (NameNotFound, NameserverTimeout) as error:
            if not self.openbsd:
                raise self.context.fail(1, f"nc: bad address '{self.name}'") from None
            again = isinstance(error, NameserverTimeout)
            reason = "Try again" if again else "Name does not resolve"
            raise self.context.fail(1, f'nc: getaddrinfo for host "{self.name}" port {self.port}: {reason}') from None
        if self.protocol == "udp":
            return await self._udp(address)
        try:
            stream = await with_timeout(self.wait or CONNECT_LIMIT, self.context.host.connect(address, self.port))
        except TimeoutError_:
            return self._failed(address, "timed out: Operation in progress", "Connection timed out")
        except NetworkError as error:
            reason = str(error).capitalize().replace("No route to host", "Host is unreachable")
            return self._failed(address, f"failed: {reason}", reason)
        self._succeeded(address)
        if "z" in self.flags:
            stream.close()
            return 0
        return await self._copy(stream)

    def _failed(self, address: str, openbsd: str, busybox: str) -> int:
        if self.openbsd and "v" in self.flags:
            self.context.error(f"nc: connect to {self._shown(address)} port {self.port} ({self.protocol}) {openbsd}")
        elif not self.openbsd and ("v" in self.flags or "z" not in self.flags):
            self.context.error(f"nc: {self._pair(address)}: {busybox}")
        return 1

    def _shown(self, address: str) -> str:
        return self.name if is_ipv4(self.name) else f"{self.name} ({address})"

    def _pair(self, address: str) -> str:
        return f"{self.name} ({address}:{self.port})"

    def _succeeded(self, address: str) -> None:
        if "v" not in self.flags:
            return
        if self.openbsd:
            service = SERVICES.get(self.port, "*")
            name = f"{self.name} ({address})" if not is_ipv4(self.name) else self.name
            self.context.error(f"Connection to {name} {self.port} port [{self.protocol}/{service}] succeeded!")
        else:
            self.context.error(f"{self._pair(address)} open")

    async def _udp(self, address: str) -> int:
        if "z" in self.flags:
            self._succeeded(address)
            return 0
        while line := await self.context.stdin.readline():
            try:
                self.context.out(await with_timeout(self.wait, self.context.host.udp(address, self.port, line)))
            except TimeoutError_:
                return 0
            except NetworkError:
                return 1
        return 0

    async def _copy(self, stream: Stream) -> int:
        sender = self.context.host.kernel.spawn(_send(self.context, stream), "nc stdin")
        try:
            while data := await with_timeout(self.wait, stream.recv()):
                self.context.out(data)
        except (TimeoutError_, ConnectionReset_):
            return 0
        finally:
            sender.cancel()
            stream.close()
        return 0


async def _send(context: Context, stream: Stream) -> None:
    try:
        while data := await context.stdin.read():
            stream.send(data)
        stream.close()
    except ConnectionReset_:
        return


async def _listen(context: Context, words: list[str], *, keep: bool) -> int:
    numbers = [int(word) for word in words if word.isdigit()]
    if not numbers:
        raise context.fail(1, "usage: nc -l [-k] [-p] PORT")
    arrived: Queue[tuple[Stream, Event]] = Queue()

    async def handle(stream: Stream, peer: Address) -> None:
        done = Event()
        arrived.put((stream, done))
        await done.wait()

    try:
        close = context.host.listen(numbers[0], handle)
    except AddressInUse:
        raise context.fail(1, "nc: Address in use") from None
    context.process.at_exit(close)
    try:
        while True:
            stream, done = await arrived.get()
            sender: Task[None] = context.host.kernel.spawn(_send(context, stream), "nc stdin")
            while data := await stream.recv():
                context.out(data)
            sender.cancel()
            stream.close()
            done.set()
            if not keep:
                return 0
    finally:
        close()
