"""The way to a container on the cluster's network: one shell kept open, for each `docker exec` is slow to begin.

Commands run side by side in that shell. Each prints one line that begins with its number and is short enough for a pipe
to keep whole (POSIX: PIPE_BUF is at least 512, on Linux 4096).
"""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
import threading
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from urllib.parse import quote, urlencode

from grader.observe.carriers import PORT, CarrierError, RejectionError, SilenceError

CURL_TIMED_OUT = 28
BEGIN_SECONDS = 20.0  # `docker exec` on a machine under load
MOST_BYTES = 2400  # stays below 4096 in base64 with what goes before it

Answers = SimpleQueue[tuple[int, bytes]]


class ContainerCarrier:
    """A shell in a container that curls the netexec server there. Safe to use from several threads; close it."""

    def __init__(self, container: str) -> None:
        self.container = container
        self._lock = threading.Lock()
        self._shell: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._waiting: dict[int, Answers] = {}
        self._count = 0

    def open(self) -> None:
        """Open the shell before it is needed. Raises CarrierError."""
        with self._lock:
            if self._shell is None:
                self._begin()

    def close(self) -> None:
        """End the shell: its end of input is also the end of what runs in the container."""
        with self._lock:
            shell, reader, self._shell = self._shell, self._reader, None
        if shell is not None:
            shell.terminate()
        if reader is not None:
            reader.join()

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        """GET a path of the netexec server in the container.

        Raises SilenceError, CarrierError ("docker-missing", "outside-client-unreachable"), RejectionError.
        """
        url = f"http://127.0.0.1:{PORT}/{path}?{urlencode(query, quote_via=quote)}"
        exit_status, output = self._run(f"curl -s -m {timeout:.2f} -w '\\n%{{http_code}}' {shlex.quote(url)}", timeout)
        if exit_status == CURL_TIMED_OUT:
            raise SilenceError
        body, _, http_status = output.rpartition(b"\n")
        if http_status in (b"400", b"417"):
            raise RejectionError(body.decode(errors="replace").strip())
        if exit_status != 0 or http_status != b"200":
            raise self._unreachable(f"curl {exit_status}, HTTP {http_status.decode(errors='replace') or '-'}")
        return body

    def _run(self, command: str, timeout: float) -> tuple[int, bytes]:
        """Run a command in the shell: its exit status and output, a negative status where the shell ended."""
        answer: Answers = SimpleQueue()
        with self._lock:
            shell = self._shell or self._begin()
            self._count += 1
            self._waiting[self._count] = answer
            script = (
                f"{{ o=$({command}); s=$?; b=$(printf %s \"$o\" | head -c {MOST_BYTES} | base64 | tr -d '\\n'); "
                f"printf '%s %s %s\\n' {self._count} $s \"$b\"; }} &\n"
            )
            try:
                if shell.stdin is not None:
                    os.write(shell.stdin.fileno(), script.encode())  # nothing is left in a buffer for a dead shell
            except (OSError, ValueError) as error:  # ValueError: the reader has just closed a dead shell's pipes
                raise self._unreachable(str(error)) from error
        try:
            exit_status, output = answer.get(timeout=timeout + BEGIN_SECONDS)
        except Empty:
            raise self._unreachable("docker exec") from None
        if exit_status < 0:
            raise self._unreachable(output.decode(errors="replace").strip() or "docker exec")
        return exit_status, output

    def _begin(self) -> subprocess.Popen[bytes]:
        """Open the shell; the lock is held. Raises CarrierError."""
        try:
            shell = subprocess.Popen(
                ["docker", "exec", "-i", self.container, "sh"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError:
            raise CarrierError("docker-missing", client=self.container) from None
        self._shell = shell
        self._reader = threading.Thread(target=self._read, args=(shell,), name="outside-client", daemon=True)
        self._reader.start()
        return shell

    def _read(self, shell: subprocess.Popen[bytes]) -> None:
        """Hand each line to the command that waits for it; when the shell ends, tell all of them, and clear up."""
        said = b""
        with shell:  # closes its pipes and waits for it
            for line in shell.stdout or ():
                parts = line.split()
                if len(parts) in (2, 3) and parts[0].isdigit() and parts[1].isdigit():
                    if answer := self._waiting.pop(int(parts[0]), None):
                        answer.put((int(parts[1]), base64.b64decode(parts[2] if len(parts) == 3 else b"")))
                else:
                    said = line
        with self._lock:
            if self._shell is shell:
                self._shell = None
            left, self._waiting = list(self._waiting.values()), {}
        for answer in left:
            answer.put((-1, said))

    def _unreachable(self, reason: str) -> CarrierError:
        return CarrierError("outside-client-unreachable", client=self.container, reason=reason)
