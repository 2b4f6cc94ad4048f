"""Questions about everything that a cluster's zones could hold, and about what they do not hold."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

from tests.coredns.asking import Question
from tests.coredns.manifests import HOSTNAMES, NAMESPACES, PORT_NAMES, SERVICES, STRAY, V4, V6, Tree

TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "ANY", "MX", "HTTPS")
ZONE = "cluster.local."
FIXED = (
    "cluster.local.", "svc.cluster.local.", "pod.cluster.local.", "nosuch.cluster.local.", "a.svc.cluster.local.",
    "dns-version.cluster.local.", "a.dns-version.cluster.local.", "ns.dns.cluster.local.", "dns.cluster.local.",
    "a.ns.dns.cluster.local.", "apex.dns.cluster.local.", "hostmaster.cluster.local.", "_tcp.cluster.local.",
    "kubernetes.default.svc.cluster.local.", "_https._tcp.kubernetes.default.svc.cluster.local.",
    "kube-dns.kube-system.svc.cluster.local.", "_dns._udp.kube-dns.kube-system.svc.cluster.local.",
    "_dns-tcp._tcp.kube-dns.kube-system.svc.cluster.local.", "*.cluster.local.", "*.svc.cluster.local.",
    "*.alpha.svc.cluster.local.", "*.*.svc.cluster.local.", "any.any.svc.cluster.local.", "web.*.svc.cluster.local.",
    "*._tcp.web.alpha.svc.cluster.local.", "_._.web.alpha.svc.cluster.local.", "_._tcp.peers.alpha.svc.cluster.local.",
    "__http._tcp.web.alpha.svc.cluster.local.", "a.b.c.d.web.alpha.svc.cluster.local.",
    "web.alpha.svc.cluster.local.svc.cluster.local.", "web.alpha.svc.cluster.local.alpha.svc.cluster.local.",
    r"web\.alpha.svc.cluster.local.", r"web.alpha\.svc.cluster.local.", r"w\000b.alpha.svc.cluster.local.",
    r"w\ b.alpha.svc.cluster.local.", r"w\@b.alpha.svc.cluster.local.", r"10\.20\.0\.1.alpha.pod.cluster.local.",
    r"a\/b.alpha.svc.cluster.local.", r"fe80--1\%eth0.alpha.pod.cluster.local.",
    f"{'a' * 63}.alpha.svc.cluster.local.", f"{'.'.join(['a' * 62] * 3)}.{'b' * 37}.alpha.svc.cluster.local.",
    "in-addr.arpa.", "10.in-addr.arpa.", "96.10.in-addr.arpa.", "0.96.10.in-addr.arpa.", "1.0.96.10.in-addr.arpa.",
    "10.0.96.10.in-addr.arpa.", "1.1.0.96.10.in-addr.arpa.", "01.0.96.10.in-addr.arpa.", "256.0.96.10.in-addr.arpa.",
    "0.0.0.0.in-addr.arpa.", "a.b.c.d.in-addr.arpa.", "svc.in-addr.arpa.", "pod.in-addr.arpa.", "x.svc.in-addr.arpa.",
    "alpha.svc.in-addr.arpa.", "web.alpha.svc.in-addr.arpa.", "10-20-0-1.alpha.pod.in-addr.arpa.",
    "dns-version.in-addr.arpa.", "ns.dns.in-addr.arpa.", "ns.dns.ip6.arpa.", "ip6.arpa.", "0.ip6.arpa.",
    "svc.ip6.arpa.", f"{'0.' * 31}ip6.arpa.", f"{'0.' * 32}ip6.arpa.", f"{'0.' * 33}ip6.arpa.",
    "1-2-3-4.alpha.pod.cluster.local.", "x.1-2-3-4.alpha.pod.cluster.local.", "_a._b.1-2-3-4.alpha.pod.cluster.local.",
    "1-2-3-4.nosuch.pod.cluster.local.", "1-2-3.alpha.pod.cluster.local.", "1-2-3-256.alpha.pod.cluster.local.",
    "01-2-3-4.alpha.pod.cluster.local.", "1--2-3-4.alpha.pod.cluster.local.", "--1.alpha.pod.cluster.local.",
    "fd00--1.alpha.pod.cluster.local.", "fd00-0-0-0-0-0-0-1.alpha.pod.cluster.local.", "--.alpha.pod.cluster.local.",
    "--ffff-a00-1.alpha.pod.cluster.local.", "FD77--AB.alpha.pod.cluster.local.", "g--1.alpha.pod.cluster.local.",
    "alpha.pod.cluster.local.", "nosuch.pod.cluster.local.", "a.pod.cluster.local.", "1-2-3-4.pod.cluster.local.",
    "example.com.", "local.", ".", "web.alpha.", "xcluster.local.", "arpa.", "xin-addr.arpa.",
)  # fmt: skip


_NAME = b"\x03svc\x07cluster\x05local\x00"
MALFORMED = (
    b"\x00",
    bytes.fromhex("123401000000000000000000"),  # no question
    bytes.fromhex("12340100000200000000") + b"\x00\x00" + (_NAME + b"\x00\x01\x00\x01") * 2,  # two questions
    bytes.fromhex("123401000001000000000000"),  # a question is missing
    bytes.fromhex("123401000001000000000000") + b"\x3fabc",  # a label is cut off
    bytes.fromhex("123401000001000000000000") + b"\xc0\x0c\x00\x01\x00\x01",  # a name points to itself
    bytes.fromhex("123481000001000000000000") + _NAME + b"\x00\x01\x00\x01",  # an answer
    bytes.fromhex("123411300001000000000000") + _NAME + b"\x00\x01\x00\x01",  # STATUS
    bytes.fromhex("12342dff0001000000000000") + _NAME + b"\x00\x06\x00\x01",  # UPDATE
    bytes.fromhex("12347fff0001000000000000") + _NAME + b"\x00\x01\x00\x01",  # an opcode that there is not
    bytes.fromhex("12340fff0001000000000000") + _NAME + b"\x00\x01\x00\x01",  # flags of all kinds
    bytes.fromhex("123401000001000200000000") + _NAME + b"\x00\x01\x00\x01",  # more records than there may be
    bytes.fromhex("123401000001000000000001") + _NAME + b"\x00\x01\x00\x01\x00",  # OPT is cut off
    bytes.fromhex("123401000001000000000001") + _NAME + bytes.fromhex("00010001 0000290000 00050000 0000"),  # EDNS 5
    bytes.fromhex("123401000001000000000001")
    + _NAME
    + bytes.fromhex("00010001 0000290200 0000ffff 0000"),  # EDNS flags
)
"""Messages that are no plain queries."""


def names(services: Iterable[Tree], slices: Iterable[Tree]) -> list[str]:
    """Every name that is, was or could be one of the cluster's."""
    found = dict.fromkeys(FIXED)
    for namespace in (*NAMESPACES, "nosuch"):
        found[f"{namespace}.svc.{ZONE}"] = None
        for service in (*SERVICES, "nosuch"):
            found[f"{service}.{namespace}.svc.{ZONE}"] = None
        found[f"web.{namespace}.pod.{ZONE}"] = None
    for address in (*V4, *V6, STRAY, "192.0.2.99", "10.96.0.77"):
        found[_reverse(address)] = None
    for obj in services:
        found.update(dict.fromkeys(_of_service(obj)))
    for obj in slices:
        found.update(dict.fromkeys(_of_slice(obj)))
    return list(found)


def _of_service(obj: Tree) -> Iterator[str]:
    base = _base(obj["metadata"]["name"], obj["metadata"]["namespace"])
    yield base
    yield f"x.{base}"
    yield f"_nosuch._tcp.{base}"
    yield f"_http._tcp.{base}"
    for port in obj["spec"].get("ports") or ():
        name, protocol = port.get("name", ""), port.get("protocol", "TCP").lower()
        yield f"_{name}._{protocol}.{base}"
        yield f"{name or 'x'}.{protocol}.{base}"
        yield f"_{name}._{'udp' if protocol == 'tcp' else 'tcp'}.{base}"


def _of_slice(obj: Tree) -> Iterator[str]:
    labels = obj["metadata"]["labels"]
    base = _base(labels.get("kubernetes.io/service-name", "web"), obj["metadata"]["namespace"])
    for port in obj.get("ports") or ():
        yield f"_{port['name']}._{port['protocol'].lower()}.{base}"
    for endpoint in obj["endpoints"][:8]:
        yield f"{endpoint.get('hostname', 'db-7')}.{base}"
        for address in endpoint["addresses"]:
            dashed = address.replace(".", "-").replace(":", "-")
            for host in (dashed, f"{dashed}0" if dashed.endswith("-") else f"_http._tcp.{dashed}"):
                yield f"{host}.{base}"
            if obj["addressType"] != "FQDN":
                yield _reverse(address)


def _base(service: str, namespace: str) -> str:
    return f"{service}.{namespace}.svc.{ZONE}"


def _reverse(address: str) -> str:
    return f"{ipaddress.ip_address(address).reverse_pointer}."


def all_of_each(asked: list[str], rng: Random) -> list[Question]:
    """Each name with each type, in the way that most clients ask; in any order, but the likely types first."""
    found = [Question(name, type_) for name in asked for type_ in TYPES]
    rng.shuffle(found)
    return sorted(found, key=lambda question: not _likely(question))


def _likely(question: Question) -> bool:
    return question.type == "PTR" if question.name.endswith(".arpa.") else question.type in ("A", "AAAA", "SRV")


def varied(asked: list[str], answered: list[Question], rng: Random, count: int) -> list[Question]:
    """Questions in every way that there is to ask; half of them of those that are known to have an answer."""
    types = (*TYPES, "A", "A", "SRV", "SRV", "DS", "AXFR", "TYPE65280")
    made = []
    for _ in range(count):
        if answered and rng.random() < 0.5:
            question = rng.choice(answered)
        else:
            question = Question(rng.choice(asked), rng.choice(types))
        flags = " ".join(rng.sample(["RD", "AD", "CD"], rng.randint(0, 3)))
        made.append(_otherwise(replace(question, flags=flags), rng))
    return made


def _otherwise(question: Question, rng: Random) -> Question:
    name = _mangled(question.name, rng) if rng.random() < 0.5 else question.name
    if rng.random() < 0.1:
        name = _near(name, rng)
    size = rng.choice((-1, 0, 511, 512, 600, 1232, 1400, 4096, 8192, 65535))
    options = tuple(rng.sample((3, 8, 9, 10, 11, 12, 65001), rng.choice((0, 0, 1, 2)))) if size >= 0 else ()
    return replace(
        question,
        name=name,
        size=size,
        tcp=rng.random() < 0.25,
        do=size >= 0 and rng.random() < 0.2,
        options=options,
        rdclass="CH" if rng.random() < 0.02 else "IN",
    )


def _mangled(name: str, rng: Random) -> str:
    """Each letter in any case (0x20)."""
    return "".join(letter.upper() if rng.random() < 0.5 else letter.lower() for letter in name)


def _near(name: str, rng: Random) -> str:
    """A label more, less or changed."""
    labels = name.rstrip(".").split(".")
    position = rng.randrange(len(labels))
    word = rng.choice((*HOSTNAMES, *SERVICES[:6], *PORT_NAMES, "*", "_tcp", "svc", "pod", "nosuch"))
    match rng.randrange(3):
        case 0:
            labels.insert(position, word)
        case 1:
            labels[position] = word
        case _:
            del labels[position]
    near = ".".join(filter(None, labels)) + "."
    return near if len(near) < 250 else name
