"""`getent hosts|ahosts|ahostsv4 name`."""

from __future__ import annotations

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.resolver import (
    NameNotFound,
    NameserverTimeout,
    addresses,
    from_hosts,
    is_ipv4,
    search,
)


async def main(context: ProgramContext) -> int:
    """Look names up as the C library does; 2 where there is none."""
    if len(context.args) < 2 or context.args[0] not in {"hosts", "ahosts", "ahostsv4"}:
        raise context.fail(1, "Usage: getent database [key ...]")
    database, code = context.args[0], 0
    for name in context.args[1:]:
        try:
            canonical, found = await _find(context, name)
        except (NameNotFound, NameserverTimeout):
            code = 2
            continue
        for address in found:
            if database == "hosts":
                context.print(f"{address:<15} {canonical}")
            else:
                context.print(*(f"{address:<15} {kind:<6} {name}" for kind in ("STREAM", "DGRAM", "RAW")))
    return code


async def _find(context: ProgramContext, name: str) -> tuple[str, list[str]]:
    if is_ipv4(name):
        return name, [name]
    if found := from_hosts(context.host, name):
        return name, found
    asked, reply = await search(context.host, name, "A")
    if not (found := addresses(reply.answers)):
        raise NameNotFound(name)
    return asked.rstrip("."), found
