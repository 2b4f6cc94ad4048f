"""`host` of BIND."""

from __future__ import annotations

from dataclasses import replace

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net.nslookup import NO_SERVERS
from grader.embedded.core.programs.resolver import (
    NameNotFound,
    NameserverTimeout,
    ResolvConf,
    is_ipv4,
    query,
    resolve,
    reverse,
    search,
)


async def main(context: ProgramContext) -> int:
    """`host [-t TYPE] name [server]`."""
    usage = "Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] hostname [server]"
    for word in context.args:
        if word.startswith("-") and word[:2] not in {"-t", "-4", "-W", "-R"}:
            raise context.fail(1, f"host: illegal option -- {word[1:2]}", usage)
    given = options.read(context, "t:4W:R:")
    args, kind = given.rest, given.last("t", "A").upper()
    if not args or len(args) > 2:
        raise context.fail(1, usage)
    name, conf = args[0], ResolvConf.of(context.host)
    if len(args) > 1:
        try:
            conf = replace(conf, nameservers=((await resolve(context.host, args[1]))[0],))
        except (NameNotFound, NameserverTimeout):
            raise context.fail(1, f"host: couldn't get address for '{args[1]}': not found") from None
        context.print("Using domain server:", f"Name: {args[1]}", f"Address: {conf.nameservers[0]}#53", "Aliases: ", "")
    try:
        if is_ipv4(name):
            asked, reply = reverse(name), await query(context.host, reverse(name), "PTR", conf)
        else:
            asked, reply = await search(context.host, name, kind, conf)
    except NameserverTimeout as error:
        text = f"Host {name} not found: 2(SERVFAIL)" if error.rcode else NO_SERVERS
        context.print(text)
        return 1
    if reply.rcode == "NXDOMAIN":
        context.print(f"Host {name if not is_ipv4(name) else asked} not found: 3(NXDOMAIN)")
        return 1
    texts = {"A": "has address", "AAAA": "has IPv6 address", "CNAME": "is an alias for", "SRV": "has SRV record"}
    texts["PTR"] = "domain name pointer"
    if not reply.answers:
        context.print(f"{asked.rstrip('.')} has no {kind} record")
        return 0
    for record in reply.answers:
        context.print(f"{record.name.rstrip('.')} {texts.get(record.type, record.type)} {record.data}")
    return 0
