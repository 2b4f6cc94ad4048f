"""Which Service has which address of a load balancer's pool, and which of them share one.

Source: go.universe.tf/metallb 0.15 internal/allocator/allocator.go (Assign, checkSharing, sharingOK, getIPFromCIDR),
internal/allocator/k8salloc (Ports, BackendKey), controller/service.go (getDesiredLbIPs, SharingKey). There is one pool,
of IPv4 addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from grader.embedded.core.objects import Key
from grader.embedded.core.store import Obj

PREFIXES = ("metallb.io", "metallb.universe.tf")
"""Of annotations; the second is the old one."""


class Refused(Exception):
    """The Service cannot have the address; `str()` says why."""


@dataclass(frozen=True)
class Use:
    """What a Service needs of an address.

    Attributes:
        ports: protocol and port of each of its ports.
        sharing: the key under which it shares, "" where it does not.
        backend: what its Pods are chosen by, where only those of the announcing node serve.

    """

    ports: frozenset[tuple[str, int]]
    sharing: str
    backend: str

    @classmethod
    def of(cls, service: Obj) -> Use:
        """What a Service needs."""
        spec = service["spec"]
        ports = frozenset((port.get("protocol") or "TCP", port["port"]) for port in spec.get("ports") or ())
        local = spec.get("externalTrafficPolicy") == "Local"
        selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
        return cls(ports, annotation(service, "allow-shared-ip"), selector if local else "")

    def goes_with(self, other: Use) -> bool:
        """Whether both may have one address, ports apart (sharingOK)."""
        return bool(self.sharing) and (self.sharing, self.backend) == (other.sharing, other.backend)


def annotation(service: Obj, name: str) -> str:
    """The value of one of MetalLB's annotations, under either prefix; "" where it has none (valueForAnnotation)."""
    annotations = service["metadata"].get("annotations") or {}
    return str(next((annotations[key] for prefix in PREFIXES if (key := f"{prefix}/{name}") in annotations), ""))


def desired(service: Obj) -> list[str]:
    """The addresses that a Service asks for (getDesiredLbIPs). Raises Refused."""
    told, field = annotation(service, "loadBalancerIPs"), service["spec"].get("loadBalancerIP") or ""
    if told and field:
        raise Refused("service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP")
    try:
        return [str(ipaddress.ip_address(item.strip())) for item in (told or field).split(",")] if told or field else []
    except ValueError:
        what = f'metallb.io/loadBalancerIPs: "{told}"' if told else f'spec.loadBalancerIP "{field}"'
        raise Refused(f"invalid {what}") from None


class AddressPool:
    """The addresses, and who has them.

    Args:
        name: the pool's name.
        addresses: in the order in which they are given out.
    """

    def __init__(self, name: str, addresses: Iterable[str]) -> None:
        self.name = name
        self._uses: dict[str, dict[Key, Use]] = {ip: {} for ip in addresses}

    def assign(self, service: Key, ip: str, use: Use) -> None:
        """Give an address to a Service, which then has no other one. Raises Refused."""
        if ip not in self._uses:
            raise Refused(f'["{ip}"] is not allowed in config')
        if why := self._why_not(service, ip, use):
            raise Refused(why)
        self.release(service)
        self._uses[ip][service] = use

    def choose(self, service: Key, use: Use) -> str:
        """Give a Service the first address that it can have. Raises Refused."""
        ip = next((ip for ip in self._uses if not self._why_not(service, ip, use)), None)
        if ip is None:
            raise Refused("no available IPs")
        self.assign(service, ip, use)
        return ip

    def release(self, service: Key) -> bool:
        """Take a Service's address back; whether it had one."""
        return any([users.pop(service, None) is not None for users in self._uses.values()])

    def _why_not(self, service: Key, ip: str, use: Use) -> str:
        """Why a Service cannot have an address, "" where it can (checkSharing)."""
        others = {key: held for key, held in self._uses[ip].items() if key != service}
        if any(not held.goes_with(use) for held in others.values()):
            names = ",".join("/".join(key) for key in others)
            return f'can\'t change sharing key for "{"/".join(service)}", address also in use by {names}'
        for protocol, port in sorted(use.ports):
            if any((protocol, port) in held.ports for held in others.values()):
                return f'port {protocol}/{port} is already in use on "{ip}"'
        return ""
