"""CoreDNS as a container runs it: starts from its Corefile, answers, and reads it again when it has changed.

Source: github.com/coredns/coredns v1.14.2 coremain/run.go, plugin/reload/reload.go; github.com/coredns/caddy v1.1.4
caddy.go (Restart). A Corefile that is refused at the start ends it; later, the one of before stays in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from grader.embedded.core.coredns.corefile import CorefileError, parse
from grader.embedded.core.coredns.server import Question
from grader.embedded.core.coredns.setup import Instance, Surroundings, start
from grader.embedded.core.dnsrecords import DnsReply
from grader.embedded.core.kernel import sleep

BANNER = ("CoreDNS-1.14.2", "linux/amd64, go1.26.8, ")


class CoreDns:
    """One CoreDNS.

    Args:
        argv: its command line.
        around: what it has around it.
    """

    def __init__(self, argv: list[str], around: Surroundings) -> None:
        self._path = argv[argv.index("-conf") + 1] if "-conf" in argv[:-1] else "/Corefile"
        self._around = around
        self._instance: Instance | None = None
        self._text = ""

    def answer(self, question: Question, port: int = 53) -> DnsReply | None:
        """Answer a question that came to a port, None where no server is there."""
        instance = self._instance
        if instance is None or port not in instance.ports:
            return None
        server = instance.server_for(question.name.lower(), port)
        return server.answer(question) if server is not None else DnsReply("REFUSED", authoritative=False)

    async def run(self, serve: Callable[[Instance], None]) -> int:
        """Run until a signal comes; the exit code.

        Args:
            serve: is told once that it answers.
        """
        write = self._around.write
        write("maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined")
        content = self._around.files.get(self._path)
        if content is None:
            write(f"loading Caddyfile via flag: open {self._path}: no such file or directory")
            return 1
        self._text = content.decode(errors="replace")
        try:
            self._instance = instance = start(self._text, self._path, self._around)
        except CorefileError as error:
            write(str(error))
            return 1
        for key in instance.servers:
            write(key)
        self._tell()
        for line in BANNER:
            write(line)
        serve(instance)
        while True:
            await sleep(self._instance.reload or 3600.0)
            if self._instance.reload is not None:
                self._reload()

    def _reload(self) -> None:
        write = self._around.write
        text = self._around.files.get(self._path, b"").decode(errors="replace")
        if text == self._text:
            return
        try:
            parse(text, self._path, self._around.files)
        except CorefileError as error:
            if "Unknown directive" not in str(error):  # without its directives, only the syntax is looked at
                write(f"[WARNING] plugin/reload: Corefile parse failed: {error}")
                return
        self._text = text
        write("[INFO] Reloading")
        try:
            self._instance = start(text, self._path, self._around)
        except CorefileError as error:
            why = f"starting with listener file descriptors: {error}"
            write(f"[ERROR] Restart failed: {error}")
            write(f"[ERROR] plugin/reload: Corefile changed but reload failed: {why}")
            return
        self._tell()
        write("[INFO] Reloading complete")

    def _tell(self) -> None:
        assert self._instance is not None
        if self._instance.reload is not None:
            digest = hashlib.sha512(self._text.encode()).hexdigest()
            self._around.write(f"[INFO] plugin/reload: Running configuration SHA512 = {digest}")
        for name in self._instance.missing:
            self._around.write(f"[WARNING] plugin/{name}: not emulated by the embedded cluster; it has no effect")
