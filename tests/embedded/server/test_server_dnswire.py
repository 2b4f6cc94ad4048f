"""Messages, as CoreDNS 1.14.2 wrote them for the same questions (tests/e2e/test_coredns_live.py asks it again)."""

from __future__ import annotations

import struct
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.server.dnswire import reply

SOA = Record("example.", "SOA", 30, "ns.example. hostmaster.example. 1 7200 1800 86400 30")
QUESTION = b"\x03web\x07example\x00\x00\x01\x00\x01"


def resolve(name: str, type_: str) -> DnsReply:
    if name == "many.example.":
        return DnsReply("NOERROR", tuple(Record(name, "A", 30, f"10.0.{i // 250}.{i % 250}") for i in range(500)))
    if name == "srv.example.":
        answers = tuple(Record(name, "SRV", 30, f"0 10 80 host-{i}.srv.example.") for i in range(10))
        return DnsReply(
            "NOERROR", answers, (), tuple(Record(f"host-{i}.srv.example.", "A", 30, "10.0.0.1") for i in range(10))
        )
    if name == "elsewhere.":
        return DnsReply("SERVFAIL", authoritative=False)
    if type_ == "AXFR":
        return DnsReply("REFUSED", authoritative=False)
    if (name, type_) == ("web.example.", "A"):
        return DnsReply("NOERROR", (Record(name, "A", 30, "10.0.0.1"),))
    return DnsReply("NXDOMAIN", (), (SOA,))


def asked(name: str, type_: str = "A", *, tcp: bool = False, **query: Any) -> dns.message.Message:
    wire = reply(dns.message.make_query(name, type_, **query).to_wire(), resolve, tcp=tcp)
    return dns.message.from_wire(wire)


def test_an_answer_carries_its_records_and_flags() -> None:
    answer = asked("web.example.")
    assert answer.answer[0].to_text() == "web.example. 30 IN A 10.0.0.1"
    assert dns.flags.to_text(answer.flags) == "QR AA RD"


def test_a_missing_name_carries_the_soa() -> None:
    answer = asked("no.example.")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].name.to_text() == "example."


@pytest.mark.parametrize(
    ("name", "type_", "asked_flags", "flags"),
    [
        ("web.example.", "A", "", "QR AA"),
        ("web.example.", "A", "RD AD CD", "QR AA RD CD"),
        ("no.example.", "A", "RD", "QR AA RD"),
        ("elsewhere.", "A", "RD", "QR RD RA"),  # the upstream's answer, and the upstream recurses
        ("web.example.", "AXFR", "RD", "QR RD"),
    ],
)
def test_recursion_is_available_for_what_is_forwarded_alone(
    name: str, type_: str, asked_flags: str, flags: str
) -> None:
    """miekg/dns defaults.go SetReply; CoreDNS core/dnsserver/server.go errorFunc."""
    assert dns.flags.to_text(asked(name, type_, flags=dns.flags.from_text(asked_flags)).flags) == flags


def test_a_message_without_edns_has_512_bytes_and_as_many_records_as_go_in() -> None:
    """miekg/dns msg_truncate.go Truncate: records that fit stay."""
    answer = asked("many.example.")
    assert answer.flags & dns.flags.TC
    assert [len(rrset) for rrset in answer.answer] == [30]  # of 16 bytes, behind 30 of header and question
    assert answer.edns == -1


@pytest.mark.parametrize(("payload", "count"), [(0, 29), (511, 29), (600, 34), (1232, 74), (4096, 253), (65535, 500)])
def test_the_size_that_edns_tells_is_heeded_and_sent_back(payload: int, count: int) -> None:
    """CoreDNS plugin/pkg/edns Size: at least 512, and no limit of its own; request.go SizeAndDo."""
    answer = asked("many.example.", use_edns=0, payload=payload)
    assert (len(answer.answer[0]), bool(answer.flags & dns.flags.TC)) == (count, count < 500)
    assert answer.payload == payload


def test_nothing_is_left_out_over_tcp() -> None:
    answer = asked("many.example.", tcp=True)
    assert len(answer.answer[0]) == 500
    assert not answer.flags & dns.flags.TC


def test_what_is_left_out_first_is_what_comes_last() -> None:
    answer = asked("srv.example.", "SRV")
    assert answer.flags & dns.flags.TC
    assert len(answer.answer[0]) == 10
    assert 0 < len(answer.additional) < 10


def test_names_are_compressed_only_where_that_is_needed() -> None:
    """msg_truncate.go Truncate, CoreDNS request.go Scrub: not where all fits, but beyond 1480 bytes over UDP."""
    query = dns.message.make_query("srv.example.", "SRV", use_edns=0, payload=65535).to_wire()
    plain = 12 + 17 + 10 * (13 + 10 + 6 + 20) + 10 * (20 + 10 + 4) + 11
    assert len(reply(query, resolve, tcp=False)) == plain
    many = dns.message.make_query("many.example.", "A", use_edns=0, payload=65535).to_wire()
    assert len(reply(many, resolve, tcp=True)) == 12 + 18 + 500 * 28 + 11
    assert len(reply(many, resolve, tcp=False)) == 12 + 18 + 500 * 16 + 11


def test_edns_options_come_back_where_coredns_knows_them() -> None:
    """CoreDNS request/edns0.go supportedOptions."""
    options = [dns.edns.GenericOption(code, b"12345678") for code in (10, 12, 65001)]
    answer = asked("web.example.", use_edns=0, options=options, ednsflags=dns.flags.DO)
    assert [option.otype for option in answer.options] == [10, 12]
    assert answer.ednsflags == dns.flags.DO


def test_another_version_of_edns_is_refused() -> None:
    """CoreDNS plugin/pkg/edns Version."""
    answer = asked("web.example.", use_edns=1)
    assert (answer.rcode(), answer.edns, answer.answer) == (dns.rcode.BADVERS, 0, [])


def test_any_class_is_answered_as_in() -> None:
    """CoreDNS core/dnsserver/server.go EnableChaos: kind's Corefile has `forward`."""
    wire = dns.message.make_query("web.example.", "A", "CH").to_wire()
    answer = dns.message.from_wire(reply(wire, resolve, tcp=False))
    assert answer.answer[0].to_text() == "web.example. 30 IN A 10.0.0.1"


@pytest.mark.parametrize(
    ("flags", "counts", "rest", "said"),
    [
        (0x0100, (1, 0, 0, 0), b"", (0x8102, 0)),  # a header alone: SERVFAIL
        (0x0100, (0, 0, 0, 0), b"", (0x8101, 0)),
        (0x0100, (2, 0, 0, 0), QUESTION * 2, (0x8101, 0)),
        (0x0100, (1, 0, 2, 0), QUESTION, (0x8101, 0)),
        (0x0100, (1, 0, 0, 0), b"\x3fabc", (0x8101, 0)),
        (0x0100, (1, 0, 0, 1), QUESTION + b"\x00", (0x8101, 1)),  # the question can be read
        (0x2DFF, (1, 0, 0, 0), QUESTION, (0xA9B4, 0)),  # UPDATE: NOTIMP
    ],
)
def test_what_cannot_be_read_is_answered_by_a_header(
    flags: int, counts: tuple[int, ...], rest: bytes, said: tuple[int, int]
) -> None:
    """miekg/dns acceptfunc.go, server.go serveDNS."""
    answer = reply(struct.pack("!6H", 4711, flags, *counts) + rest, resolve, tcp=False)
    assert struct.unpack("!3H", answer[:6]) == (4711, *said)
    assert answer[12:] == (QUESTION if said[1] else b"")


@pytest.mark.parametrize("wire", [b"\x00", struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + QUESTION])
def test_what_is_no_question_is_not_answered(wire: bytes) -> None:
    with pytest.raises(ValueError, match=r"too short|no query"):
        reply(wire, resolve, tcp=False)
