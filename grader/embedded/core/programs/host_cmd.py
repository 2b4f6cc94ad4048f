"""`host` of BIND."""

from __future__ import annotations

from grader.embedded.core.programs.nslookup import NO_SERVERS
from grader.embedded.core.programs.process import Context
from grader.embedded.core.programs.resolver import NameserverTimeout, ResolvConf, is_ipv4, query, reverse, search


async def main(context: Context) -> int:
    """`host [-t TYPE] name`."""
    args, kind = list(context.args), "A"
    if args[:1] == ["-t"] and len(args) > 2:
        kind, args = args[1].upper(), args[2:]
    if not args:
        raise context.fail(1, "Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] hostname [server]")
    name, conf = args[0], ResolvConf.of(context.host)
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
