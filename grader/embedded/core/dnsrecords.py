"""What a nameserver answers: records, and a reply made of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """One DNS resource record.

    Attributes:
        name: absolute owner name, with its final dot.
        type: A, AAAA, CNAME, SRV, PTR, TXT, NS or SOA.
        ttl: seconds.
        data: as in a zone file: `10.96.0.1`, or `0 100 53 kube-dns.kube-system.svc.cluster.local.`; names are absolute.
    """

    name: str
    type: str
    ttl: int
    data: str


@dataclass(frozen=True)
class DnsReply:
    """The reply to one question.

    Attributes:
        rcode: NOERROR, NXDOMAIN, SERVFAIL, REFUSED.
        answers: the answer section.
        authority: the authority section (a SOA where the answer is negative).
        additional: the additional section (addresses of SRV targets).
        authoritative: the AA flag.
    """

    rcode: str
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = True

    @property
    def forwarded(self) -> bool:
        """Whether it is the upstream's: then recursion was available (the RA flag)."""
        return not self.authoritative and self.rcode != "REFUSED"
