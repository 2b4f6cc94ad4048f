from __future__ import annotations

import asyncio

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest

from grader.embedded.core.dns import Answer, Rr
from grader.embedded.server.dnsserver import DnsServer, reply


def resolve(name: str, type_: str) -> Answer:
    if name == "many.example.":
        return Answer("NOERROR", tuple(Rr(name, "A", 30, f"10.0.{i // 250}.{i % 250}") for i in range(500)))
    if (name, type_) == ("web.example.", "A"):
        return Answer("NOERROR", (Rr(name, "A", 30, "10.0.0.1"),))
    return Answer("NXDOMAIN", (), (Rr("example.", "SOA", 30, "ns.example. hostmaster.example. 1 7200 1800 86400 30"),))


def test_an_answer_carries_its_records_and_flags() -> None:
    answer = dns.message.from_wire(reply(dns.message.make_query("web.example.", "A").to_wire(), resolve, limit=1232))

    assert answer.answer[0].to_text() == "web.example. 30 IN A 10.0.0.1"
    assert answer.flags & dns.flags.AA


def test_a_missing_name_carries_the_soa() -> None:
    answer = dns.message.from_wire(reply(dns.message.make_query("no.example.", "A").to_wire(), resolve, limit=1232))

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].name.to_text() == "example."


def test_what_does_not_fit_is_told_to_be_truncated() -> None:
    answer = dns.message.from_wire(reply(dns.message.make_query("many.example.", "A").to_wire(), resolve, limit=512))

    assert answer.flags & dns.flags.TC
    assert not answer.answer


def test_what_is_no_query_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        reply(b"\x00", resolve, limit=512)


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
