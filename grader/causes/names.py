"""Causes that keep a name from having the wanted records: told by the name and the objects, before any answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.causes.endpoints import wrong_type
from grader.causes.scene import Ruling, Scene, fail, listed, port_text, word
from grader.model.evidence import RawObject
from grader.model.exercise import ConfigKey, Dns
from grader.model.kubernetes import name_of
from grader.model.questions import leaves_cluster
from grader.model.report import Hop

_ADDRESS = re.compile(r"\d+(\.\d+){3}\.?")
_NAME = re.compile(r"[-_a-zA-Z0-9]+(\.[-_a-zA-Z0-9]+)*\.?")
_SRV = re.compile(r"_(?P<port>[^.]+)\._(?P<protocol>[^.]+)\.")


def named_service(expect: Dns, name: str, scene: Scene) -> RawObject | None:
    """Find the Service that a name belongs to: of the exercise's Namespace, or of a further one.

    A learner's own name may speak of the wrong Namespace: it is looked for in all of them.
    """
    further = [key.partition("@")[2] for key in scene.evidence.objects if key.startswith("services@")]
    parts = name.rstrip(".").split(".")
    homes = ["", *(home for home in further if isinstance(expect.name, ConfigKey) or home in parts)]
    return next((found for home in homes if (found := scene.service(expect.service, home))), None)


def name_wrong(expect: Dns, name: str, service: RawObject | None) -> Ruling | None:
    """Object to a name that cannot have such records, whatever the DNS server says."""
    if isinstance(expect.name, ConfigKey) and (ruling := _unfit(expect.name, name)):
        return ruling
    if service is None:
        return None
    if expect.is_ == "cluster-ip":
        return wrong_type(service, headless_too=True)
    if isinstance(expect.is_, Mapping) and (ruling := wrong_type(service, headless_too=False)):
        return ruling
    if isinstance(expect.is_, Mapping) and service["spec"].get("clusterIP") != "None":
        address = service["spec"].get("clusterIP")
        return fail("service-not-headless", Hop.SERVICE, service=name_of(service), address=address)
    return _port_unnamed(expect, name, service) if expect.type == "SRV" and isinstance(expect.is_, tuple) else None


def _unfit(key: ConfigKey, name: str) -> Ruling | None:
    """Object to a learner's value that is no name of the cluster."""
    facts = {"name": key.config_map, "key": key.key, "seen": name.rstrip(".")}
    if _ADDRESS.fullmatch(name):
        return fail("call-value-is-address", Hop.SERVICE, **facts)
    if not _NAME.fullmatch(name):
        return fail("dns-value-no-name", Hop.SERVICE, **facts)
    return fail("dns-name-outside", Hop.DNS, name=name) if leaves_cluster(name) else None


def _port_unnamed(expect: Dns, name: str, service: RawObject) -> Ruling | None:
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
