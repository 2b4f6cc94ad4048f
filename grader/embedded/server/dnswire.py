"""DNS messages as CoreDNS reads and writes them: flags, EDNS, and what fits into the client's buffer.

The rules are those of CoreDNS 1.14 (core/dnsserver/server.go, request/request.go, plugin/pkg/edns) and of the library
that it uses, github.com/miekg/dns (server.go, acceptfunc.go, msg.go, msg_truncate.go).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from grader.embedded.core.dnsrecords import DnsReply, Record

if TYPE_CHECKING:
    import dns.edns
    import dns.message
    import dns.name

Resolve = Callable[[str, str], DnsReply]
"""Answers one question: absolute name and type."""

MIN_SIZE, MAX_SIZE = 512, 65535
UNFRAGMENTED = 1480
"""Bytes beyond which a message over UDP has its names compressed even though it fits (request.go Scrub)."""
MAX_POINTER = 1 << 14
HEADER = struct.Struct("!6H")
SUPPORTED_OPTIONS = (3, 9, 10, 11, 12)
"""NSID, EXPIRE, COOKIE, TCP-KEEPALIVE, PADDING: sent back as they came (request/edns0.go supportedOptions)."""
QR, OPCODE, AA, TC, RD, RA, ZERO, CD = 0x8000, 0x7800, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0010
FORMERR, SERVFAIL, NOTIMP, BADVERS = 1, 2, 4, 16
OPT = 41


def reply(wire: bytes, resolve: Resolve, *, tcp: bool) -> bytes:
    """The answer to one DNS message. Raises ValueError for what is not answered."""
    import dns.exception  # takes longer to import than the process has time until it is ready
    import dns.message
    import dns.rcode
    import dns.rdatatype

    if len(wire) < HEADER.size:
        raise ValueError("too short for a DNS message")
    ident, flags, *counts = HEADER.unpack(wire[: HEADER.size])
    if flags & QR:
        raise ValueError("no query")
    if flags & OPCODE:
        return _refusal(ident, flags, NOTIMP)
    if counts[0] != 1 or counts[1] > 1 or counts[2] > 1 or counts[3] > 2:  # acceptfunc.go
        return _refusal(ident, flags & ~OPCODE, FORMERR)
    if len(wire) == HEADER.size:  # a header alone is taken, and found to have no question (server.go ServeDNS)
        return HEADER.pack(ident, QR | flags & (RD | CD) | SERVFAIL, 0, 0, 0, 0)
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return _refusal(ident, flags, FORMERR, _question_alone(wire))
    if query.edns > 0:
        opt = _opt(0, BADVERS >> 4 << 24, ())
        return HEADER.pack(ident, QR | flags & (RD | CD), 1, 0, 0, 1) + _question(query) + opt
    question = query.question[0]
    answer = resolve(question.name.to_text(), dns.rdatatype.to_text(question.rdtype))  # in any class: `forward` is on
    flags = QR | flags & (RD | CD) | AA * answer.authoritative | RA * answer.forwarded
    size = MAX_SIZE if tcp else max(MIN_SIZE, query.payload)
    return _fitted(query, flags | dns.rcode.from_text(answer.rcode), answer, size, tcp=tcp)


def _refusal(ident: int, flags: int, rcode: int, question: bytes = b"") -> bytes:
    """The header that came, and the question where it was read (miekg/dns server.go serveDNS)."""
    return HEADER.pack(ident, (QR | flags) & ~(AA | ZERO | 0x000F) | rcode, bool(question), 0, 0, 0) + question


def _question_alone(wire: bytes) -> bytes:
    """The question of a message whose other records cannot be read."""
    import dns.exception
    import dns.message

    try:
        return _question(dns.message.from_wire(wire, question_only=True))
    except dns.exception.DNSException:
        return b""


def _fitted(query: dns.message.Message, flags: int, answer: DnsReply, size: int, *, tcp: bool) -> bytes:
    """The message, names compressed and records left out where it is too long (msg_truncate.go Truncate)."""
    opt = _opt(query.payload, query.ednsflags & 0xFF00, query.options) if query.edns == 0 else b""
    sections = (answer.answers, answer.authority, answer.additional)
    plain = _Writer(_question(query), compress=False)
    for record in (record for section in sections for record in section):
        plain.add(record)
    length = len(plain.data) + len(opt)
    if length <= size and (tcp or length <= UNFRAGMENTED):
        counts, data = [len(section) for section in sections], plain.data
    else:
        packed = _Writer(_question(query), compress=True)
        counts, data = [packed.fill(section, size - len(opt)) for section in sections], packed.data
    if counts != [len(section) for section in sections]:
        flags |= TC
    counts[2] += bool(opt)
    return HEADER.pack(query.id, flags, 1, *counts) + bytes(data[HEADER.size :]) + opt


class _Writer:
    """Puts records behind a question; with `compress`, names point to where their ends stood before.

    Attributes:
        data: the message so far, with room for its header.
    """

    def __init__(self, question: bytes, *, compress: bool) -> None:
        self.data = bytearray(HEADER.size)
        self._known: dict[tuple[bytes, ...], int] | None = {} if compress else None
        self._full = False
        import dns.name

        name, used = dns.name.from_wire(question, 0)
        self._name(name, shorten=True)
        self.data += question[used:]

    def fill(self, records: tuple[Record, ...], size: int) -> int:
        """Add records while they fit, none after one that did not; how many did."""
        for number, record in enumerate(records):
            before = len(self.data)
            if not self._full:
                self.add(record)
                self._full = len(self.data) > size
                if self._full:
                    del self.data[before:]
            if self._full:
                return number
        return len(records)

    def add(self, record: Record) -> None:
        """Add a record."""
        import dns.name
        import dns.rdata
        import dns.rdataclass
        import dns.rdatatype

        type_ = dns.rdatatype.from_text(record.type)
        self._name(dns.name.from_text(record.name), shorten=True)
        self.data += struct.pack("!HHIH", type_, dns.rdataclass.IN, record.ttl, 0)
        begin = len(self.data)
        self._rdata(dns.rdata.from_text(dns.rdataclass.IN, type_, record.data))
        struct.pack_into("!H", self.data, begin - 2, len(self.data) - begin)

    def _rdata(self, rdata: Any) -> None:
        """Record data; which names in it are compressed is told by their tags in miekg/dns types.go."""
        match rdata.rdtype.name:
            case "CNAME" | "NS" | "PTR":
                self._name(rdata.target, shorten=True)
            case "SOA":
                self._name(rdata.mname, shorten=True)
                self._name(rdata.rname, shorten=True)
                self.data += rdata.to_wire()[-20:]
            case "SRV":
                self.data += rdata.to_wire()[:6]
                self._name(rdata.target, shorten=False)
            case _:
                self.data += rdata.to_wire()

    def _name(self, name: dns.name.Name, *, shorten: bool) -> None:
        """A name; one that is not shortened may be pointed to all the same (msg.go packDomainName)."""
        for index, label in enumerate(name.labels):
            rest = name.labels[index:]
            if self._known is not None and label:
                if shorten and rest in self._known:
                    self.data += struct.pack("!H", 0xC000 | self._known[rest])
                    return
                if len(self.data) < MAX_POINTER:
                    self._known.setdefault(rest, len(self.data))
            self.data += bytes([len(label)]) + label


def _question(query: dns.message.Message) -> bytes:
    question = query.question[0]
    name = question.name.to_wire()
    assert name is not None  # to_wire() returns None only when it writes to a file
    return name + struct.pack("!HH", question.rdtype, question.rdclass)


def _opt(size: int, flags: int, options: Iterable[dns.edns.Option]) -> bytes:
    """The OPT record; of the client's options those that CoreDNS supports, as they came."""
    data = b""
    for option in options:
        if option.otype in SUPPORTED_OPTIONS:
            value = option.to_wire() or b""
            data += struct.pack("!HH", option.otype, len(value)) + value
    return struct.pack("!BHHIH", 0, OPT, size, flags, len(data)) + data
