"""Causes that keep a name from having the wanted records: told by the name and the objects, before any answer."""

from __future__ import annotations

import re
from ipaddress import ip_address

from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.service import lost
from grader.causes.words import listed, port_text, word
from grader.model.choosing import config_map, find_service
from grader.model.dnsnames import leaves_cluster
from grader.model.kubernetes import name_of
from grader.model.objects import Objects, RawObject
from grader.model.report import Hop
from grader.model.vantage import ConfigKey

# What a resolver takes for an address and asks no server for: inet_aton(3) reads one to four parts, each decimal, octal
# or hexadecimal.
_ADDRESS = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE)
_IPV6 = re.compile(r"[0-9a-f]*(:[0-9a-f.]*){2,}", re.IGNORECASE)
# CoreDNS makes such names of addresses, whoever has them (plugin kubernetes, `pods insecure`; of headless endpoints).
_OF_ADDRESS = re.compile(r"\d{1,3}(-\d{1,3}){3}\..+|[0-9a-f]*(-[0-9a-f]*){2,7}\.[-a-z0-9]+\.pod(\..*)?", re.IGNORECASE)
_NAME = re.compile(r"[-_a-zA-Z0-9]+(\.[-_a-zA-Z0-9]+)*\.?")
_SRV = re.compile(r"_(?P<port>[^.]+)\._(?P<protocol>[^.]+)\.")


def exists(objects: Objects, service: str) -> bool:
    """Tell whether a Service of this name is in any of the exercise's Namespaces."""
    return any(find_service(objects, service, namespace) for namespace in ("", *objects.namespaces))


def named_service(scene: Scene, service: str, name: str, *, anywhere: bool) -> RawObject | None:
    """Find the Service that a name belongs to: of the exercise's Namespace, or of a further one that the name has.

    Args:
        scene: what was observed.
        service: the Service's name.
        name: the name in DNS.
        anywhere: look in all Namespaces: a learner's own name may speak of the wrong one.
    """
    parts = name.rstrip(".").split(".")
    homes = ["", *(home for home in scene.objects.namespaces if anywhere or home in parts)]
    return next((found for home in homes if (found := scene.service(service, home))), None)


def disguised(host: str, **facts: object) -> Ruling | None:
    """Object to an address in the clothes of a name: another Pod, or none, has it tomorrow.

    Args:
        host: as it was written.
        facts: values that the message names.
    """
    if _ADDRESS.fullmatch(host) or _IPV6.fullmatch(host):
        return fail("call-value-is-address", Hop.SERVICE, **facts)
    return fail("call-value-of-address", Hop.SERVICE, **facts, host=host) if _OF_ADDRESS.fullmatch(host) else None


def literal(alias: RawObject) -> Ruling | None:
    """Object to an ExternalName whose target is an IP address: it is accepted, and no DNS server publishes it.

    Rule: findServices in plugin/kubernetes of CoreDNS 1.14 takes only what is no address (HostType is CNAME).
    """
    target = str(alias["spec"].get("externalName"))
    try:
        ip_address(target)
    except ValueError:
        return None
    return fail("alias-is-address", Hop.SERVICE, service=name_of(alias), target=target)


def value_lost(scene: Scene, key: ConfigKey) -> Ruling | None:
    """Object to a ConfigMap that is in another Namespace, or was deleted and is only held back by a finalizer."""
    return lost(scene, "ConfigMap", key.config_map, config_map(scene.objects, key), Hop.SERVICE)


def unfit(key: ConfigKey, name: str) -> Ruling | None:
    """Object to a learner's value that is no name of the cluster."""
    facts = {"name": key.config_map, "key": key.key, "seen": name.rstrip(".")}
    if ruling := disguised(name.rstrip("."), **facts):
        return ruling
    if not _NAME.fullmatch(name):
        return fail("dns-value-no-name", Hop.SERVICE, **facts)
    return fail("dns-name-outside", Hop.DNS, name=name) if leaves_cluster(name) else None


def port_unnamed(name: str, service: RawObject) -> Ruling | None:
    """Object to a Service without the named port that a SRV record is made of (Kubernetes DNS specification, 2.3.2)."""
    asked = _SRV.match(name)
    ports = service["spec"].get("ports") or ()
    if asked is None or service["spec"].get("type") == "ExternalName":
        return None
    wanted = (asked["port"].lower(), asked["protocol"].lower())
    if any((str(port.get("name")).lower(), str(port.get("protocol", "TCP")).lower()) == wanted for port in ports):
        return None
    seen = listed(f"{port.get('name') or word('plain', 'nameless')} {port_text(port)}" for port in ports)
    return fail(
        "dns-port-unknown", Hop.SERVICE,
        service=name_of(service), name=name, expected=f"{asked['port']} {asked['protocol'].upper()}", seen=seen,
    )  # fmt: skip
