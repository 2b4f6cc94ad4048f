"""`nslookup` of BusyBox up to 1.28, which asks as any program does: /etc/hosts, then DNS along the search list.

Source: networking/nslookup.c of BusyBox 1.28.0, which is the code that 1.37.0 still has for
`!ENABLE_FEATURE_NSLOOKUP_BIG`; libbb/xconnect.c (xmalloc_sockaddr2hostonly_noport) for the reverse names. The official
images are built without VERBOSE_RESOLUTION_ERRORS: no reason is told.
"""

from __future__ import annotations

from dataclasses import replace

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import Host
from grader.embedded.core.programs.resolver import (
    NameNotFound,
    NameserverTimeout,
    ResolvConf,
    addresses,
    from_hosts,
    is_ipv4,
    name_of,
    resolve,
    search,
)

_USAGE = """BusyBox v{} multi-call binary.

Usage: nslookup [HOST] [SERVER]

Query the nameserver for the IP address of the given HOST
optionally using a specified DNS server"""


async def main(context: ProgramContext) -> int:
    """`nslookup [host] [server]`."""
    args = context.args
    if not args or args[0].startswith("-") or len(args) > 2:
        raise context.fail(1, _USAGE.format(context.image.version))
    conf = ResolvConf.of(context.host)
    if len(args) > 1:
        try:
            server = (await resolve(context.host, args[1]))[0]
        except (NameNotFound, NameserverTimeout):
            raise context.fail(1, f"nslookup: bad address '{args[1]}'") from None
        conf = replace(conf, nameservers=(server,))
    await _print_host(context, conf, next(iter(conf.nameservers), "127.0.0.1"), "Server:")
    context.print("")
    return await _print_host(context, conf, args[0], "Name:")


async def _print_host(context: ProgramContext, conf: ResolvConf, name: str, header: str) -> int:
    try:
        found = await _addresses(context.host, conf, name)
    except NameserverTimeout:
        found = []
    if not found:
        context.error(f"nslookup: can't resolve '{name}'")
        return 1
    context.print(f"{header:<10} {name}")
    for number, address in enumerate(found, 1):
        owner = await name_of(context.host, address, conf)
        context.print(f"Address {number}: {address}{f' {owner}' if owner else ''}")
    return 0


async def _addresses(host: Host, conf: ResolvConf, name: str) -> list[str]:
    if is_ipv4(name):
        return [name]
    if found := from_hosts(host, name):
        return found
    _, reply = await search(host, name, "A", conf)
    return addresses(reply.answers)
