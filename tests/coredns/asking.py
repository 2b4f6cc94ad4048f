"""One question to a DNS server, and its answer in a form in which two servers' answers can be compared."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from typing import Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

TIMEOUT, SILENCE = 2.0, 1.0

OPTIONS = {8: bytes((0, 1, 24, 0, 192, 0, 2)), 10: bytes(range(8)), 12: bytes(20)}
"""What the EDNS options carry that carry something: client subnet, cookie, padding."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked, and how.

    Attributes:
        name: absolute, as in a zone file.
        type: "A"...
        size: the UDP size that EDNS tells, -1 for a query without EDNS.
        tcp: over TCP.
        flags: of the header, of "RD", "AD", "CD".
        do: the DNSSEC flag of EDNS.
        options: codes of EDNS options.
        rdclass: "IN", "CH"...
    """

    name: str
    type: str
    size: int = 1232
    tcp: bool = False
    flags: str = "RD"
    do: bool = False
    options: tuple[int, ...] = ()
    rdclass: str = "IN"

    def wire(self) -> bytes:
        """The query."""
        options = [dns.edns.GenericOption(code, OPTIONS.get(code, b"")) for code in self.options]
        query = dns.message.make_query(
            dns.name.from_text(self.name),
            self.type,
            self.rdclass,
            use_edns=0 if self.size >= 0 else False,
            payload=max(self.size, 0),
            ednsflags=dns.flags.DO if self.do else 0,
            options=options,
            id=4711,
            flags=dns.flags.from_text(self.flags),
        )
        return query.to_wire()


def exchange(wire: bytes, port: int, *, tcp: bool, timeout: float = TIMEOUT) -> bytes:
    """Send a message and receive one. Raises OSError."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", port))
        if not tcp:
            sock.send(wire)
            return sock.recv(65535)
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        with sock.makefile("rb") as stream:
            return stream.read(struct.unpack("!H", stream.read(2))[0])


def ask(question: Question, port: int) -> Answer:
    """What a server says; {"silent": ...} where it says nothing that can be read."""
    wire = question.wire()
    try:
        return shape(exchange(wire, port, tcp=question.tcp))
    except (OSError, struct.error, dns.exception.DNSException) as error:
        return {"silent": type(error).__name__}


def said(wire: bytes, port: int, *, tcp: bool) -> tuple[Answer | str, int]:
    """What a server says to any bytes, and how long that is; nothing where it says nothing."""
    try:
        answer = exchange(wire, port, tcp=tcp, timeout=SILENCE)
    except (OSError, struct.error):
        return "", 0
    try:
        return shape(answer), len(answer)
    except dns.exception.DNSException:
        return answer.hex(), len(answer)


def shape(wire: bytes) -> Answer:
    """A message as a dictionary.

    Records are in no order, a SOA has no serial number, and of addresses that were truncated only the number is told.
    """
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    shaped: Answer = {
        "id": message.id,
        "opcode": message.opcode(),
        "rcode": dns.rcode.to_text(message.rcode()),
        "flags": dns.flags.to_text(message.flags),
        "question": [f"{item.name} {item.rdclass} {item.rdtype}" for item in message.question],
        "edns": [message.edns, message.payload, message.ednsflags, [option.otype for option in message.options]],
        "size": len(wire),
    }
    for section in ("answer", "authority", "additional"):
        records = [_record(rrset, rdata) for rrset in getattr(message, section) for rdata in rrset]
        if message.flags & dns.flags.TC:  # which addresses are in it is a matter of chance
            records = [re.sub(r"^.*( A| AAAA) .*", r"\1", record) for record in records]
        shaped[section] = sorted(records)
    return shaped


def _record(rrset: Any, rdata: Any) -> str:
    data = rdata.replace(serial=0) if rdata.rdtype == dns.rdatatype.SOA else rdata
    return f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {data}"
