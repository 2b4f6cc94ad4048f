from __future__ import annotations

import asyncio

import dns.asyncquery
import dns.message

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.server.dnsserver import DnsServer


def resolve(name: str, type_: str) -> DnsReply:
    if name == "many.example.":
        return DnsReply("NOERROR", tuple(Record(name, "A", 30, f"10.0.{i // 250}.{i % 250}") for i in range(500)))
    if (name, type_) == ("web.example.", "A"):
        return DnsReply("NOERROR", (Record(name, "A", 30, "10.0.0.1"),))
    return DnsReply(
        "NXDOMAIN", (), (Record("example.", "SOA", 30, "ns.example. hostmaster.example. 1 7200 1800 86400 30"),)
    )


def test_udp_and_tcp_share_a_port_and_long_answers_come_over_tcp() -> None:
    async def main() -> None:
        server = DnsServer(resolve)
        await server.start()
        short = await dns.asyncquery.udp(
            dns.message.make_query("web.example.", "A"), "127.0.0.1", port=server.port, timeout=5
        )
        long, over_tcp = await dns.asyncquery.udp_with_fallback(
            dns.message.make_query("many.example.", "A"), "127.0.0.1", port=server.port, timeout=5
        )
        assert short.answer[0][0].to_text() == "10.0.0.1"
        assert over_tcp
        assert len(long.answer[0]) == 500
        await server.close()
        await asyncio.sleep(0)  # the transports close

    asyncio.run(main())
