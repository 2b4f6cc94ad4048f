"""nginx' upstreams: groups of servers, and which of them is next.

Rules: src/http/ngx_http_upstream.c, ngx_http_upstream_round_robin.c and modules/ngx_http_upstream_ip_hash_module.c of
nginx 1.26.3. Names are resolved once, when the configuration is read, through the C library's search list; only what
`resolver` looks up for a variable is asked again, and that without a search list (src/core/ngx_resolver.c).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.embedded.core.kernel import TimeoutError_, with_timeout
from grader.embedded.core.programs.host import Host, NetworkError
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, addresses, is_ipv4, resolve
from grader.embedded.core.programs.servers.nginx.conf import Directive


@dataclass(frozen=True)
class Server:
    """One `server` line of an upstream, or the host of a proxy_pass that no upstream has.

    Attributes:
        host: a name or an address, in lower case.
        port: where it listens.
        at: the line that names it.
        shown: how the line writes it, for nginx' message when there is no such name.
        weight: its share.
        max_fails: after so many failures within `fail_timeout` it is left out; 0: never.
        fail_timeout: seconds.
        backup: is asked only when the others cannot be.
        down: is never asked.
    """

    host: str
    port: int
    at: Directive
    shown: str
    weight: int = 1
    max_fails: int = 1
    fail_timeout: float = 10.0
    backup: bool = False
    down: bool = False


@dataclass
class Peer:
    """One address of a server, and how it did."""

    ip: str
    port: int
    server: Server
    current: int = 0
    effective: int = 1
    fails: int = 0
    accessed: float = 0.0
    checked: float = 0.0

    @property
    def address(self) -> str:
        """Address and port, as $upstream_addr shows them."""
        return f"{self.ip}:{self.port}"


@dataclass
class Group:
    """The peers of an upstream.

    Attributes:
        name: of the upstream, or host and port of a proxy_pass.
        peers: those that are asked first.
        backups: those that are asked when they cannot be.
        by_client: whether the client's address chooses (ip_hash).
    """

    name: str
    peers: list[Peer]
    backups: list[Peer] = field(default_factory=list)
    by_client: bool = False

    @property
    def single(self) -> bool:
        """With one peer, failures do not leave it out."""
        return len(self.peers) == 1 and not self.backups

    def tries(self) -> int:
        """How many peers a request may go to."""
        return sum(not peer.server.down for peer in (*self.peers, *self.backups))

    def next(self, tried: list[Peer], client: str, now: float) -> Peer | None:
        """The peer to ask, None where none is left (smooth weighted round robin; ip_hash for the first twenty)."""
        if self.single:
            peer = self.peers[0]
            return None if peer.server.down or peer in tried else peer
        if self.by_client and (hashed := self._hashed(tried, client, now)) is not None:
            return hashed
        return _best(self.peers, tried, now) or _best(self.backups, tried, now)

    def _hashed(self, tried: list[Peer], client: str, now: float) -> Peer | None:
        value = 89
        total = sum(peer.server.weight for peer in self.peers)
        for _ in range(20):
            for octet in client.split(".")[:3]:
                value = (value * 113 + int(octet)) % 6271
            left = value % total
            for peer in self.peers:
                left -= peer.server.weight
                if left < 0:
                    if peer not in tried and _usable(peer, now):
                        return peer
                    break
        return None

    def done(self, peer: Peer, *, failed: bool, now: float) -> None:
        """Take note of how a peer did."""
        if self.single:
            return
        if not failed:
            if peer.accessed < peer.checked:
                peer.fails = 0
            return
        peer.fails += 1
        peer.accessed = peer.checked = now
        if peer.server.max_fails:
            peer.effective = max(0, peer.effective - peer.server.weight // peer.server.max_fails)


def _usable(peer: Peer, now: float) -> bool:
    server = peer.server
    out = server.max_fails and peer.fails >= server.max_fails and now - peer.checked <= server.fail_timeout
    return not server.down and not out


def _best(peers: list[Peer], tried: list[Peer], now: float) -> Peer | None:
    best: Peer | None = None
    total = 0
    for peer in peers:
        if peer in tried or not _usable(peer, now):
            continue
        peer.current += peer.effective
        total += peer.effective
        peer.effective = min(peer.effective + 1, peer.server.weight)
        if best is None or peer.current > best.current:
            best = peer
    if best is not None:
        best.current -= total
        if now - best.checked > best.server.fail_timeout:
            best.checked = now
    return best


async def group(host: Host, name: str, servers: tuple[Server, ...], *, by_client: bool = False) -> Group:
    """Resolve all servers of an upstream. Raises Emerg for a name that there is not."""
    made = Group(name, [], by_client=by_client)
    for server in servers:
        try:
            found = await resolve(host, server.host)
        except (NameNotFound, NameserverTimeout):
            raise server.at.emerg(f'host not found in upstream "{server.shown}"') from None
        into = made.backups if server.backup else made.peers
        into += [Peer(ip, server.port, server, effective=server.weight) for ip in found]
    return made


def place(text: str, at: Directive, default: int = 80) -> tuple[str, int, bool]:
    """Host, port and whether the port was written, of `host[:port]`. Raises Emerg as ngx_parse_inet_url does."""
    host, colon, port = text.partition(":")
    if not host:
        raise at.emerg(f'no host in upstream "{text}"')
    if colon and not (re.fullmatch(r"\d{1,5}", port) and 0 < int(port) < 65536):
        raise at.emerg(f'invalid port in upstream "{text}"')
    return host.lower(), int(port) if colon else default, bool(colon)


class ResolveError(Exception):
    """A name could not be resolved while a request waited; `str()` is nginx' text."""


@dataclass
class Resolver:
    """The `resolver` directive's name servers.

    Attributes:
        host: the machine.
        servers: addresses to ask in turn.
        valid: seconds for which an answer is believed; None: its TTL.
        timeout: seconds for which an answer is waited for (resolver_timeout).
    """

    host: Host
    servers: tuple[str, ...]
    valid: float | None = None
    timeout: float = 30.0
    _known: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    _turn: int = 0

    async def look_up(self, name: str) -> list[str]:
        """The addresses of an absolute name: no search list is used. Raises ResolveError."""
        if is_ipv4(name):
            return [name]
        now = self.host.kernel.now()
        until, found = self._known.get(name, (0.0, []))
        if now >= until:
            self._turn += 1
            server = self.servers[self._turn % len(self.servers)]
            try:
                asked = self.host.dns(f"{name.rstrip('.')}.", "A", server)
                reply = await with_timeout(self.timeout, asked)
            except (TimeoutError_, NetworkError):
                raise ResolveError(f"{name} could not be resolved (110: Operation timed out)") from None
            found = addresses(reply.answers)
            if not found:
                reason = {"NXDOMAIN": "3: Host not found", "REFUSED": "5: Operation refused", "NOERROR":
                          "3: Host not found"}.get(reply.rcode, "2: Server failure")  # fmt: skip
                raise ResolveError(f"{name} could not be resolved ({reason})")
            ttl = min(record.ttl for record in reply.answers) if self.valid is None else self.valid
            self._known[name] = (now + ttl, found)
        self._turn += 1
        first = self._turn % len(found)
        return [*found[first:], *found[:first]]
