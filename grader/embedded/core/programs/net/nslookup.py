"""`nslookup`, of BusyBox (networking/nslookup.c, the big one, which came with 1.29) and of BIND."""

from __future__ import annotations

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net import nslookup_small
from grader.embedded.core.programs.resolver import (
    NameNotFound,
    NameserverTimeout,
    ResolvConf,
    is_ipv4,
    query,
    resolve,
    reverse,
)

NO_SERVERS = ";; connection timed out; no servers could be reached"


_USAGE = """nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any"""


async def main(context: ProgramContext) -> int:
    """`nslookup [-type=TYPE] [-opt] name [server]`."""
    if context.image.name == "busybox" and context.image.older_than(1, 29):
        return await nslookup_small.main(context)
    kind, words, port = "", list[str](), 53
    for word in context.args:
        option, _, value = word.lstrip("-").partition("=")
        if word.startswith("-"):
            if option.lower() in {"type", "query", "querytype", "q"}:
                kind = value.upper()
            elif option == "port" and value.isdigit():
                port = int(value)
            elif option not in {"timeout", "retry", "recurse", "vc", "novc"} or not _is_bind(context):
                if _is_bind(context):
                    context.print(f"*** Invalid option: {option}")
                    continue
                raise options.refuse(context, option if len(option) > 1 else option[:1], _USAGE)
        else:
            words.append(word)
    if not words:
        raise options.show_usage(context, _USAGE)
    conf = ResolvConf.of(context.host)
    server = next(iter(conf.nameservers), "127.0.0.1")
    if len(words) > 1:
        try:
            server = (await resolve(context.host, words[1]))[0]
        except (NameNotFound, NameserverTimeout):
            shown = f"nslookup: couldn't get address for '{words[1]}': not found"
            if not _is_bind(context):
                shown = f"nslookup: bad address '{words[1]}'"
            raise context.fail(1, shown) from None
    conf = ResolvConf((server,), conf.search, conf.ndots, conf.timeout, conf.attempts)
    if _is_bind(context):
        return await Bind(context, conf, port, chosen=len(words) > 1).run(words[0], kind)
    return await _busybox(context, conf, words[0], kind)


def _is_bind(context: ProgramContext) -> bool:
    return "dig" in context.image.programs


async def _busybox(context: ProgramContext, conf: ResolvConf, name: str, kind: str) -> int:
    """Ask for A and AAAA of every name of the search list at once; every failure is told, and any makes status 1."""
    if is_ipv4(name):
        names, kinds = [reverse(name)], [kind or "PTR"]
    else:
        names, kinds = _busybox_names(conf, name), [kind] if kind else ["A", "AAAA"]
    replies: list[tuple[str, str, DnsReply]] = []
    for each in names:
        for type in kinds:
            try:
                replies.append((each, type, await query(context.host, each, type, conf)))
            except NameserverTimeout:
                context.print(NO_SERVERS, "")
                return 1
    context.print(f"Server:\t\t{conf.nameservers[0]}", f"Address:\t{conf.nameservers[0]}:53", "")
    failed = False
    for each, _, reply in replies:
        if reply.rcode != "NOERROR":
            failed = True
            context.print(f"** server can't find {each.rstrip('.')}: {reply.rcode}", "")
            continue
        context.print(*(_busybox_record(record) for record in reply.answers), "")
    return 1 if failed else 0


def _busybox_names(conf: ResolvConf, name: str) -> list[str]:
    if name.endswith("."):
        return [name]
    if name.count(".") >= conf.ndots or name.count(".") >= 1:
        return [f"{name}."]
    return [f"{name}.{domain}." for domain in conf.search] or [f"{name}."]


def _busybox_record(record: Record) -> str:
    owner, data = record.name.rstrip("."), record.data.rstrip(".")
    if record.type in {"A", "AAAA"}:
        return f"Name:\t{owner}\nAddress: {data}"
    words = {"CNAME": "canonical name", "PTR": "name", "SRV": "service", "NS": "nameserver", "TXT": "text"}
    return f"{owner}\t{words.get(record.type, record.type)} = {data}"


class Bind:
    """BIND's program (bin/dig/nslookup.c, dighost.c).

    It wants recursion of a server that it was not told to ask, and says each time that it got none: CoreDNS offers none
    for the names that it knows itself.
    """

    def __init__(self, context: ProgramContext, conf: ResolvConf, port: int, *, chosen: bool) -> None:
        self.context = context
        self.conf = conf
        self.server = conf.nameservers[0]
        self.port = port
        self.chosen = chosen

    @property
    def _old(self) -> bool:
        """Whether it is BIND 9.9's (Debian jessie), which asks for A only and says nothing of recursion."""
        return self.context.image.name == "jessie-dnsutils"

    def _say_server(self) -> None:
        self.context.print(f"Server:\t\t{self.server}", f"Address:\t{self.server}#{self.port}", "")

    async def _ask(self, name: str, kind: str) -> DnsReply:
        """One query, and what there is to say about the reply. Raises NameserverTimeout."""
        reply = await query(self.context.host, name, kind, self.conf)
        if reply.rcode == "SERVFAIL":
            self.context.print(f";; Got SERVFAIL reply from {self.server}")
        elif not self.chosen and not self._old:
            self.context.print(f";; Got recursion not available from {self.server}")
        return reply

    async def run(self, name: str, kind: str) -> int:
        """Look a name up along the search list and print what was found; a timeout ends it."""
        try:
            return await (self._reverse(name) if is_ipv4(name) else self._forward(name, kind))
        except NameserverTimeout:
            self.context.print(NO_SERVERS, "")
            return 1

    async def _forward(self, name: str, kind: str) -> int:
        asked, reply = name, DnsReply("NXDOMAIN")
        candidates = list(self.conf.candidates(name)) if not name.endswith(".") else [name]
        for asked in candidates:
            reply = await self._ask(asked, kind or "A")
            if reply.rcode != "NXDOMAIN":
                break
        self._say_server()
        if reply.rcode != "NOERROR":
            shown = name if len(candidates) > 1 else asked.rstrip(".")
            self.context.print(f"** server can't find {shown}: {reply.rcode}", "")
            return 1
        if not reply.answers:
            self.context.print(f"*** Can't find {name}: No answer", "")
            return 0
        if not reply.authoritative:
            self.context.print("Non-authoritative answer:")
        self.context.print(*(_bind_record(record) for record in reply.answers))
        code = 0 if kind or self._old else await self._second(_canonical(asked, reply))
        self.context.print("")
        return code

    async def _second(self, name: str) -> int:
        """Without a type, AAAA follows A, of the name at the end of the aliases."""
        reply = await self._ask(name, "AAAA")
        if reply.rcode != "NOERROR":
            self.context.print(f"** server can't find {name.rstrip('.')}: {reply.rcode}")
            return 1
        self.context.print(*(_bind_record(record) for record in reply.answers if record.type == "AAAA"))
        return 0

    async def _reverse(self, address: str) -> int:
        reply = await self._ask(reverse(address), "PTR")
        if reply.rcode != "NOERROR" or not reply.answers:
            self.context.print(f"** server can't find {reverse(address).rstrip('.')}: {reply.rcode}", "")
            return 1
        self.context.print(*(_bind_record(record) for record in reply.answers), "")
        return 0


def _canonical(name: str, reply: DnsReply) -> str:
    aliases = {record.name.rstrip("."): record.data for record in reply.answers if record.type == "CNAME"}
    while (held := aliases.pop(name.rstrip("."), None)) is not None:
        name = held
    return name


def _bind_record(record: Record) -> str:
    owner = record.name.rstrip(".")
    if record.type in {"A", "AAAA"}:
        return f"Name:\t{owner}\nAddress: {record.data}"
    words = {"CNAME": "canonical name", "PTR": "name", "SRV": "service", "NS": "nameserver", "TXT": "text"}
    return f"{owner}\t{words.get(record.type, record.type)} = {record.data}"
