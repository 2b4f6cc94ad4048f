"""Which addresses of Docker's `kind` network the load balancer may hand out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from grader.errors import EnvironmentError_

SPAN = 256  # the top of the network from which pools are cut; Docker hands addresses out from the bottom
SIZE = 32  # addresses of one pool: more than any lesson needs, and seven clusters fit side by side


@dataclass(frozen=True)
class Pool:
    """A range of addresses, both ends included."""

    first: IPv4Address
    last: IPv4Address

    def __str__(self) -> str:
        """As MetalLB's IPAddressPool writes it."""
        return f"{self.first}-{self.last}"

    def __contains__(self, address: object) -> bool:
        return isinstance(address, IPv4Address) and self.first <= address <= self.last

    def overlaps(self, other: Pool) -> bool:
        """Whether an address is in both."""
        return self.first <= other.last and other.first <= self.last


def parse(text: str) -> Pool | None:
    """Read what `str` wrote; None for anything else."""
    matched = re.fullmatch(r"\s*([\d.]+)\s*-\s*([\d.]+)\s*", text)
    if not matched:
        return None
    try:
        return Pool(IPv4Address(matched[1]), IPv4Address(matched[2]))
    except ValueError:
        return None


def ipv4_subnet(subnets: Iterable[str]) -> IPv4Network:
    """The first IPv4 subnet; IPv6 ones are passed over.

    Raises EnvironmentError_ ("kind-network-without-ipv4").
    """
    for subnet in subnets:
        try:
            return IPv4Network(subnet, strict=False)
        except ValueError:
            continue
    raise EnvironmentError_("kind-network-without-ipv4", subnets=", ".join(subnets) or "-")


def choose(subnet: IPv4Network, used: Iterable[IPv4Address], reserved: Iterable[Pool]) -> Pool:
    """Cut a pool from the top of the subnet.

    Args:
        subnet: the network's IPv4 subnet.
        used: addresses of the gateway and of containers on the network.
        reserved: pools of other clusters on the network.

    Raises EnvironmentError_ ("kind-network-full") where no room is left.
    """
    taken, others = tuple(used), tuple(reserved)
    whole = subnet.num_addresses
    size = min(SIZE, max(whole // 8, 1))
    top = int(subnet.broadcast_address) + 1
    # The topmost block holds the broadcast address; it is left out, as is the lower half of a small network.
    for start in range(top - 2 * size, top - min(SPAN, whole // 2) - 1, -size):
        pool = Pool(IPv4Address(start), IPv4Address(start + size - 1))
        if not any(address in pool for address in taken) and not any(pool.overlaps(other) for other in others):
            return pool
    raise EnvironmentError_("kind-network-full", subnet=subnet)
