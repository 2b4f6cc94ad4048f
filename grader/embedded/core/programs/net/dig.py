"""`dig` of BIND 9.20: options, output and exit status as in bind9's bin/dig."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.core.kernel import TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import ConnectionRefused_, NetworkError
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, ResolvConf, is_ipv4, resolve

VERSION = "9.20.15"
TYPES = frozenset("A AAAA ANY AXFR CAA CNAME DNSKEY DS HTTPS MX NAPTR NS PTR SOA SRV SVCB TXT".split())
CLASSES = frozenset({"IN", "CH", "HS"})
SECTIONS = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")


@dataclass(frozen=True)
class Query:
    """One query of the command line.

    Attributes:
        name: as it was typed.
        type: the record type.
        server: what stood after @, "" for the system's.
        show: the parts of the output that are printed.
        search: whether the search list is used.
        short: whether only the data is printed.
        tcp: whether it goes over TCP.
        timeout: seconds for one try.
        tries: how often a server is asked.
        ndots: dots from which a name is tried as it is; None: resolv.conf's.
        port: the server's port.
        identify: whether +short names the server too.
        ttl: whether time to live is printed.
    """

    name: str = "."
    type: str = "A"
    server: str = ""
    show: frozenset[str] = frozenset(SECTIONS)
    search: bool = False
    short: bool = False
    tcp: bool = False
    timeout: float = 5.0
    tries: int = 3
    ndots: int | None = None
    port: int = 53
    identify: bool = False
    ttl: bool = True


class UsageError(Exception):
    """The command line cannot be read."""


def parse(args: list[str]) -> Query:
    """Read a command line (of one query). Raises UsageError with dig's text."""
    query, named, typed = Query(), False, False
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word.startswith("@"):
            query = replace(query, server=word[1:])
        elif word.startswith("+"):
            query = _plus(query, word[1:])
        elif word.startswith("-") and len(word) > 1:
            letter, value = word[1], word[2:]
            if letter in "xtqpcbfky" and not value:
                if not rest:
                    raise UsageError(f"Invalid option: {word}")
                value = rest.pop(0)
            if letter == "x":
                reverse = ".".join(reversed(value.split("."))) + ".in-addr.arpa."
                query, named, typed = replace(query, name=reverse, type="PTR"), True, True
            elif letter == "t":
                query, typed = replace(query, type=_type(value)), True
            elif letter == "q":
                query, named = replace(query, name=value), True
            elif letter == "p":
                query = replace(query, port=int(value))
            elif letter not in "cb46mriu":
                raise UsageError(f"Invalid option: {word}")
        elif word.upper() in TYPES and not typed:
            query, typed = replace(query, type=word.upper()), True
        elif word.upper() in CLASSES:
            continue
        elif not named:
            query, named = replace(query, name=word), True
        else:
            raise UsageError(f"more than one name: {word}")
    return query if named else replace(query, name=".", type=query.type if typed else "NS")


def _type(text: str) -> str:
    if text.upper() not in TYPES:
        raise UsageError(f";; Warning, ignoring invalid type {text}")
    return text.upper()


def _plus(query: Query, word: str) -> Query:
    name, _, value = word.partition("=")
    on = not name.startswith("no")
    name = name if on else name[2:]
    if name == "all":
        return replace(query, show=frozenset(SECTIONS if on else ()))
    if name in SECTIONS:
        return replace(query, show=query.show | {name} if on else query.show - {name})
    if name == "short":
        return replace(query, short=on)
    if name in {"search", "defname"}:
        return replace(query, search=on)
    if name == "identify":
        return replace(query, identify=on)
    if name in {"tcp", "vc"}:
        return replace(query, tcp=on)
    if name == "ttlid":
        return replace(query, ttl=on)
    if name in {"time", "timeout"}:
        return replace(query, timeout=max(1.0, float(value or 5)))
    if name == "tries":
        return replace(query, tries=max(1, int(value or 3)))
    if name == "retry":
        return replace(query, tries=int(value or 2) + 1)
    if name == "ndots":
        return replace(query, ndots=int(value or 1), search=True)
    if name in {"trace", "nssearch", "yaml", "multiline", "qr", "showsearch"} and not on:
        return query
    if name in {"recurse", "rec", "edns", "cookie", "dnssec", "ednsflags", "bufsize", "cdflag", "adflag", "ignore",
                "fail", "class", "split", "idnin", "idnout", "rrcomments", "crypto", "unknownformat", "mapped",
                "keepopen", "opcode"}:  # fmt: skip
        return query
    raise UsageError(f"Invalid option: +{word}")


async def main(context: ProgramContext) -> int:
    """Run `dig`; 0: an answer came, whatever it says; 1: usage; 9: no server answered."""
    if context.args[:1] == ["-v"]:
        context.error(f"DiG {VERSION}")
        return 0
    try:
        query = parse(context.args)
    except UsageError as error:
        context.error(
            str(error),
            "",
            "Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}",
            "            {global-d-opt} host [@local-server] {local-d-opt}",
            "            [ host [@local-server] {local-d-opt} [...]]",
            "",
            'Use "dig -h" (or "dig -h | more") for complete list of options',
        )
        return 1
    return await _ask(context, query)


async def _ask(context: ProgramContext, query: Query) -> int:
    conf = ResolvConf.of(context.host)
    servers = list(conf.nameservers) or ["127.0.0.1"]
    if query.server:
        try:
            servers = [query.server] if is_ipv4(query.server) else await resolve(context.host, query.server)
        except (NameNotFound, NameserverTimeout):
            context.error(f"dig: couldn't get address for '{query.server}': not found")
            return 10
    name = _absolute(query.name)
    names = [name]
    if query.search:
        ndots = conf.ndots if query.ndots is None else query.ndots
        names = list(replace(conf, ndots=ndots).candidates(query.name))
    reply, server = DnsReply("SERVFAIL"), servers[0]
    for name in names:
        found = await _try(context, query, name, servers)
        if found is None:
            _banner(context, query)
            context.print(";; no servers could be reached")
            return 9
        reply, server = found
        if reply.rcode == "NOERROR" and (reply.answers or len(names) == 1):
            break
    if query.short:
        suffix = f" from server {server} in 0 ms." if query.identify else ""
        context.print(*(f"{record.data}{suffix}" for record in reply.answers))
        return 0
    _banner(context, query)
    _print(context, query, name, reply, server)
    return 0


def _absolute(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


async def _try(context: ProgramContext, query: Query, name: str, servers: list[str]) -> tuple[DnsReply, str] | None:
    for _ in range(query.tries):
        for server in servers:
            reason = "timed out"
            try:
                if query.port != 53:
                    raise ConnectionRefused_
                return await with_timeout(query.timeout, context.host.dns(name, query.type, server)), server
            except TimeoutError_:
                pass
            except NetworkError as error:
                reason = str(error)
            context.print(f";; communications error to {server}#{query.port}: {reason}")
    return None


def _banner(context: ProgramContext, query: Query) -> None:
    if "cmd" not in query.show or query.short:
        return
    context.print("", f"; <<>> DiG {VERSION} <<>> {' '.join(context.args)}")
    if query.server:
        context.print("; (1 server found)")
    context.print(";; global options: +cmd")


def _print(context: ProgramContext, query: Query, name: str, reply: DnsReply, server: str) -> None:
    now = context.host.kernel.now()
    if "comments" in query.show:
        context.print(";; Got answer:")
        if name.endswith(".local."):
            context.print(
                ";; WARNING: .local is reserved for Multicast DNS",
                ";; You are currently testing what happens when an mDNS query is leaked to DNS",
            )
        flags = "qr aa rd" if reply.authoritative else "qr rd ra"
        counts = f"ANSWER: {len(reply.answers)}, AUTHORITY: {len(reply.authority)}"
        context.print(
            f";; ->>HEADER<<- opcode: QUERY, status: {reply.rcode}, id: {int(now * 7919) % 65536}",
            f";; flags: {flags}; QUERY: 1, {counts}, ADDITIONAL: {len(reply.additional) + 1}",
        )
        if reply.authoritative:
            context.print(";; WARNING: recursion requested but not available")
        context.print("", ";; OPT PSEUDOSECTION:", "; EDNS: version: 0, flags:; udp: 1232")
    if "question" in query.show:
        context.print(";; QUESTION SECTION:", ";" + _columns(name, "", "IN", query.type), "")
    for title in ("answer", "authority", "additional"):
        records: tuple[Record, ...] = getattr(reply, "answers" if title == "answer" else title)
        if title not in query.show or not records:
            continue
        if "comments" in query.show:
            context.print(f";; {title.upper()} SECTION:")
        for record in records:
            context.print(_columns(record.name, str(record.ttl) if query.ttl else "", "IN", record.type, record.data))
        if "comments" in query.show:
            context.print("")
    if "comments" in query.show and not set(query.show) & {"question"} and not reply.answers:
        context.print("")
    if "stats" in query.show:
        carrier = "TCP" if query.tcp else "UDP"
        size = 12 + len(name) + 5 + 11 + sum(_size(record) for record in (*reply.answers, *reply.authority))
        context.print(
            ";; Query time: 0 msec",
            f";; SERVER: {server}#{query.port}({query.server or server}) ({carrier})",
            f";; WHEN: {datetime.fromtimestamp(now, UTC):%a %b %d %H:%M:%S UTC %Y}",
            f";; MSG SIZE  rcvd: {size}",
            "",
        )


def _size(record: Record) -> int:
    return len(record.name) + 11 + (4 if record.type == "A" else len(record.data) + 1)


def _columns(name: str, ttl: str, klass: str, type: str, data: str = "") -> str:
    """Return a record in dig's columns: TTL at 24, class 32, type 40, data 48 (bind9 lib/dns/masterdump.c, indent)."""
    line, width = name, len(name)
    for value, column in ((ttl, 24), (klass, 32), (type, 40), (data, 48)):
        if not value:
            continue
        target = max(column, width + 1)
        tabs = max(target // 8 - width // 8, 0)
        spaces = target % 8 if tabs else target - width
        line += "\t" * tabs + " " * spaces + value
        width = target + len(value)
    return line
