"""A running program, seen from outside: its input, output, signals and exit code.

It is what `kubectl exec`, `attach` and the kubelet use; the program itself sees a `ProgramContext`. With a terminal, a
line discipline sits between the outside and the program (see `terminal.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from grader.embedded.core.kernel import (
    Address,
    Cancelled,
    ConnectionReset_,
    Event,
    Handler,
    Kernel,
    Queue,
    Stream,
    Task,
)
from grader.embedded.core.programs.signals import SIGKILL, SIGPIPE, SIGTERM, STDERR, STDOUT
from grader.embedded.core.programs.terminal import Terminal

STACKS = 64
"""Stacks that the calls of one process may fill: about 2500 calls of shell functions inside of each other."""
FORKS = 1000
"""Subshells that one process may have at a time; they are counted after as many new ones."""
DEEP = 300
"""Frames after which a call gets a stack of its own; Python has 1000."""
BROKEN = 70
"""Exit code of a program whose emulation has a defect (EX_SOFTWARE)."""

Sink = Callable[[bytes], None]


class NoFork(Exception):
    """A process has too many subshells (EAGAIN)."""


class Exit(Exception):
    """Ends the program at once.

    Attributes:
        code: the exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")
        self.code = code


class Input:
    """A buffered byte source: standard input, a pipe or a file.

    Args:
        source: gives the next bytes, b"" at the end.
    """

    def __init__(self, source: Callable[[], Awaitable[bytes]], close: Callable[[], None] | None = None) -> None:
        self._source = source
        self._close = close
        self._buffer = bytearray()
        self._ended = False

    @classmethod
    def of_bytes(cls, data: bytes) -> Input:
        """All of some bytes, then the end."""
        pending = [data]

        async def source() -> bytes:
            return pending.pop() if pending else b""

        return cls(source)

    @classmethod
    def of_stream(cls, stream: Stream) -> Input:
        """What a stream carries; a reset counts as the end."""

        async def source() -> bytes:
            try:
                return await stream.recv()
            except ConnectionReset_:
                return b""

        return cls(source, stream.reset)

    async def _fill(self) -> bool:
        if self._ended:
            return False
        data = await self._source()
        self._ended = not data
        self._buffer += data
        return not self._ended

    async def read(self) -> bytes:
        """Wait for some bytes; b"" at the end."""
        while not self._buffer and await self._fill():
            pass
        return self._take(len(self._buffer))

    async def readline(self) -> bytes:
        """One line with its newline; without it at the end of the input; b"" at the end."""
        while (index := self._buffer.find(b"\n")) < 0 and await self._fill():
            pass
        return self._take(index + 1 if index >= 0 else len(self._buffer))

    async def read_all(self) -> bytes:
        """Everything up to the end."""
        while await self._fill():
            pass
        return self._take(len(self._buffer))

    def close(self) -> None:
        """Stop reading: who still writes into a pipe breaks."""
        if self._close is not None:
            self._close()

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


class Process:
    """A program that was started in a container, seen from outside.

    Attributes:
        argv: the command line.
        pid: its number in the container; 1 for the first.
        exit_code: None while it runs; 128 + signal when a signal ended it.
        signal: the signal that ended it, None where it exited by itself.
        terminal: the line discipline, where it has a terminal.
        ports: the TCP ports it listens on.
    """

    def __init__(self, kernel: Kernel, argv: list[str], *, stdin: bool, init: bool = False) -> None:
        self.argv = argv
        self.pid = 1
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.terminal: Terminal | None = None
        self.ports: list[int] = []
        self.stdin: Queue[bytes] = Queue()
        self._kernel = kernel
        self._stdin_open = stdin
        self._init = init
        self._handlers: dict[int, Callable[[], object]] = {}
        self._outputs: list[Callable[[int, bytes], None]] = []
        self._backlog: list[tuple[int, bytes]] = []
        self._exited = Event()
        self._stacks = 0
        self._forks: list[Task[int]] = []
        self._full = False
        self._on_exit: list[Callable[[int], None]] = []
        self._task: Task[int] | None = None
        self._closers: list[Callable[[], None]] = []
        if not stdin:
            self.stdin.put(b"")

    def __repr__(self) -> str:
        return f"<Process {' '.join(self.argv)} {'running' if self.exit_code is None else self.exit_code}>"

    # --- from outside

    def feed(self, data: bytes) -> None:
        """Give bytes to standard input (what a person types, with a terminal)."""
        if not self._stdin_open or not data:
            return
        if self.terminal is not None:
            self.terminal.typed(data)
        else:
            self.stdin.put(data)

    def close_stdin(self) -> None:
        """End standard input; harmless when done twice."""
        if self._stdin_open:
            self._stdin_open = False
            self.stdin.put(b"")

    def resize(self, columns: int, rows: int) -> None:
        """Tell the size of the terminal."""
        if self.terminal is not None:
            self.terminal.size = (columns, rows)

    def on_output(self, fn: Callable[[int, bytes], None], *, replay: bool = True) -> Callable[[], None]:
        """Call a function with (1 = stdout or 2 = stderr, bytes) for all output.

        What was written before the first listener came is kept for it. Returns how to stop.
        """
        self._outputs.append(fn)
        backlog, self._backlog = self._backlog, []
        if replay:
            for fd, data in backlog:
                fn(fd, data)
        return lambda: self._outputs.remove(fn) if fn in self._outputs else None

    def on_exit(self, fn: Callable[[int], None]) -> None:
        """Call a function with the exit code, at once when it has exited already."""
        if self.exit_code is not None:
            fn(self.exit_code)
        else:
            self._on_exit.append(fn)

    async def wait(self) -> int:
        """Wait for the exit code."""
        await self._exited.wait()
        assert self.exit_code is not None
        return self.exit_code

    def kill(self, signal: int = SIGTERM) -> None:
        """Send a signal. As in Linux, a container's first process ignores what it does not handle, except SIGKILL."""
        if self.exit_code is not None:
            return
        if signal != SIGKILL and signal in self._handlers:
            self._handlers[signal]()
        elif signal == SIGKILL or not self._init:
            self.signal = signal
            self.exit(128 + signal)

    def fork(self, call: Coroutine[Any, Any, int], name: str = "") -> Task[int]:
        """Run a call beside the others. Raises NoFork where there are too many."""
        if len(self._forks) >= 2 * FORKS:  # seldom, as it looks at each
            self._forks = [task for task in self._forks if not task.done]
            self._full = len(self._forks) >= FORKS
        if self._full or self.exit_code is not None:
            call.close()
            raise NoFork
        task = self._kernel.spawn(call, name)
        self._forks.append(task)
        return task

    @staticmethod
    def is_deep() -> bool:
        """Whether the calls at this point have nearly filled their stack."""
        try:
            sys._getframe(DEEP)
        except ValueError:
            return False
        return True

    async def on_new_stack(self, call: Coroutine[Any, Any, int]) -> int:
        """Run a call on a stack of its own. Raises what it raises, and RecursionError where there are too many."""
        if self._stacks >= STACKS:
            call.close()
            raise RecursionError("too many calls inside of each other")
        self._stacks += 1
        task = self._kernel.spawn(call, f"process {self.argv[0]}")
        try:
            return await task
        except BaseException:
            task.cancel()
            raise
        finally:
            self._stacks -= 1

    def kill_now(self) -> None:
        """Send SIGKILL."""
        self.kill(SIGKILL)

    # --- from inside

    def start(self, program: Coroutine[Any, Any, int]) -> None:
        """Run the program; called once by `images.run`."""
        self._task = self._kernel.spawn(self._main(program), f"process {self.argv[0]}")

    def exit(self, code: int) -> None:
        """End the process now, wherever it is."""
        if self.exit_code is not None:
            return
        self.exit_code = code & 0xFF
        for closer in list(self._closers):
            closer()
        if self._task is not None:
            self._task.cancel()
        self._exited.set()
        callbacks, self._on_exit = self._on_exit, []
        for callback in callbacks:
            callback(self.exit_code)

    def serve(self, listen: Callable[[int, Handler], Callable[[], None]], port: int, handler: Handler) -> None:
        """Listen on a TCP port until the process ends; `listen` is the machine's. Raises AddressInUse."""
        self.at_exit(listen(port, handler))
        self.ports.append(port)

    def talking(self, talk: Callable[[Stream], Awaitable[None]]) -> Handler:
        """A handler for `serve`: `talk`, then close. When the process ends, its connections are reset."""

        async def handle(stream: Stream, peer: Address) -> None:
            self.at_exit(stream.reset)
            try:
                await talk(stream)
                stream.close()
            except ConnectionReset_:
                pass
            finally:
                self.forget(stream.reset)

        return handle

    def at_exit(self, closer: Callable[[], None]) -> None:
        """Call a function when the process ends: closes its listeners."""
        self._closers.append(closer)

    def forget(self, closer: Callable[[], None]) -> None:
        """Take back `at_exit`."""
        if closer in self._closers:
            self._closers.remove(closer)

    async def signalled(self, *signals: int) -> None:
        """Wait for one of these signals."""
        stop = Event()
        for signal in signals:
            self.on_signal(signal, stop.set)
        await stop.wait()

    def on_signal(self, signal: int, fn: Callable[[], object] | None) -> Callable[[], object] | None:
        """Handle a signal (None: no longer); returns the handler that was there."""
        before = self._handlers.pop(signal, None)
        if fn is not None:
            self._handlers[signal] = fn
        return before

    def write(self, fd: int, data: bytes) -> None:
        """Write output of the program; with a terminal, both descriptors are one."""
        if not data or self.exit_code is not None:
            return
        if self.terminal is not None:
            fd, data = STDOUT, self.terminal.shown(data)
        self.emit(fd, data)

    def emit(self, fd: int, data: bytes) -> None:
        """Hand bytes to the listeners as they are."""
        if not self._outputs:
            self._backlog.append((fd, data))
        for fn in list(self._outputs):
            fn(fd, data)

    async def _main(self, program: Coroutine[Any, Any, int]) -> int:
        code = 1
        try:
            code = await program
        except Exit as done:
            code = done.code
        except ConnectionReset_:
            code = 128 + SIGPIPE
        except Cancelled:
            return code
        except Exception:
            self.write(STDERR, f"{self.argv[0]}: this emulated program failed\n".encode())
            self.exit(BROKEN)
            raise
        self.exit(code)
        return code


class Processes:
    """The processes of a container by their numbers."""

    def __init__(self) -> None:
        self._known: dict[int, Process] = {}

    def add(self, process: Process, *, first: bool) -> None:
        """Give a new process its number: 1 to the container's first."""
        process.pid = 1 if first else max((*self.running(), 6)) + 1
        self._known[process.pid] = process

    def running(self) -> dict[int, Process]:
        """Those that have not ended."""
        self._known = {pid: process for pid, process in self._known.items() if process.exit_code is None}
        return self._known
