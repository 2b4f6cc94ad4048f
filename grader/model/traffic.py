"""Which questions the kinds about calls, policies, source addresses, affinity and variables ask. Pure.

Observe asks them and judge looks their answers up, so both see the same addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from grader.model.evidence import RawObject, ReachQuestion, ShellQuestion
from grader.model.exercise import Affinity, At, Call, ConfigKey, Env, Local, Reach, Source, Vantage
from grader.model.kubernetes import (
    actual_slices,
    addresses_of,
    hostname_of,
    internal_ip,
    is_ready,
    name_of,
    routed,
    service_port,
)
from grader.model.questions import (
    NAME_TRIES,
    SOME_TRIES,
    Objects,
    addresses,
    backends,
    config_value,
    find_service,
    living,
    reach_questions,
)

AFFINITY_TRIES = 15  # test/e2e/network/service.go, AffinityConfirmCount; 2 Pods at random agree once in 16,384 runs
NODE_TRIES = 12
OWN_ADDRESS = "hostname -i"
ENVIRONMENT = "env"
HTTP_PORT = 80


@dataclass(frozen=True)
class Destination:
    """Where a call goes.

    Attributes:
        text: as it was written.
        host: host name or address, "" where the text is none.
        port: port number.
    """

    text: str
    host: str = ""
    port: int = 0

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address and no name."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


def destination(to: str | ConfigKey, objects: Objects) -> Destination:
    """Read "http://host[:port]/..." or "host:port"; host "" where it is neither, text "" where nothing is written."""
    text = config_value(objects, to) if isinstance(to, ConfigKey) else to
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        host, port = parts.hostname or "", parts.port or (HTTP_PORT if parts.scheme == "http" else 0)
    except ValueError:
        return Destination(text)
    known = parts.scheme in ("http", "tcp") and not parts.username and " " not in text
    return Destination(text, host, port) if known and host and port else Destination(text)


def call_questions(expect: Call, objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build one question a vantage; none where there is no name to call."""
    to = destination(expect.to, objects)
    if not to.host or to.is_address:
        return ()
    pods = [pod for pod in backends(objects, expect.answered_by, expect.pods_in) if is_ready(pod)]
    want = tuple(map(hostname_of, pods)) if expect.all_of_them else ()
    bound = len(pods) ** 2 + 30 if expect.all_of_them else SOME_TRIES
    return tuple(
        ReachQuestion(source.value, to.host, to.port, want, max(bound, NAME_TRIES), least=NAME_TRIES)
        for source in expect.sources
    )


def local_endpoints(objects: Objects, service: RawObject, number: int) -> Mapping[str, tuple[str, ...]]:
    """List, for every node, the host names of the endpoints of a Service port that are on it."""
    port = service_port(service, number) or {}
    found = routed(
        item
        for item in actual_slices(service, objects.get("endpointslices", ()))
        if item.port_name == str(port.get("name", ""))
    )
    pods = {name_of(pod): pod for pod in objects.get("pods", ())}
    return {
        name_of(node): tuple(
            sorted(hostname_of(pods[item.name]) for item in found if item.node == name_of(node) and item.name in pods)
        )
        for node in sorted(objects.get("nodes", ()), key=name_of)
    }


def local_questions(expect: Local, objects: Objects) -> Mapping[str, ReachQuestion]:
    """Build one question a node; none where the objects give no address yet."""
    service = find_service(objects, expect.service)
    port = service_port(service, expect.port) if service else None
    if service is None or port is None:
        return {}
    own = local_endpoints(objects, service, expect.port)
    everybody = tuple(hostname_of(pod) for pod in living(objects.get("pods", ()), expect.answered_by) if is_ready(pod))
    found = {}
    for node in sorted(objects.get("nodes", ()), key=name_of):
        name = name_of(node)
        if expect.at is At.CLUSTER_IP:
            vantage, host, number = f"node/{name}", str(service["spec"].get("clusterIP", "")), expect.port
        else:
            vantage, host, number = Vantage.OUTSIDE_CLIENT.value, internal_ip(node), int(port.get("nodePort") or 0)
        if host in ("", "None") or not number:
            return {}
        want = own.get(name, ()) or (everybody if expect.otherwise == "anybody" else ())
        found[name] = ReachQuestion(vantage, host, number, want, max(NODE_TRIES, len(want) ** 2 + 30 if want else 0))
    return found


def local_controls(expect: Local, objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build the positive control of a node that nobody may serve: a ready Pod, directly, from each probe."""
    if expect.at is not At.CLUSTER_IP or expect.otherwise != "nobody":
        return ()
    service = find_service(objects, expect.service)
    endpoints = sorted(actual_slices(service, objects.get("endpointslices", ()))) if service else []
    ready = [item for item in endpoints if item.ready and item.port]
    if not ready:
        return ()
    nodes = sorted(map(name_of, objects.get("nodes", ())))
    return tuple(ReachQuestion(f"node/{node}", ready[0].address, ready[0].port or 0) for node in nodes)


def source_questions(
    expect: Source, objects: Objects, namespace: str, host_ports: Mapping[int, str]
) -> tuple[ReachQuestion, ...]:
    """Build one question a vantage and address; of node ports only those of nodes that have endpoints."""
    service = find_service(objects, expect.service)
    port = service_port(service, expect.port) if service else None
    if service is None or port is None:
        return ()
    own = local_endpoints(objects, service, expect.port)
    nodes = {internal_ip(node) for node in objects.get("nodes", ()) if own.get(name_of(node))}
    return tuple(
        ReachQuestion(vantage, host, number, (), SOME_TRIES, "clientip")
        for source in expect.sources
        for vantage, host, number in addresses(expect.at, source, service, port, objects, namespace, host_ports)
        if expect.at is not At.NODE_PORT or host in nodes
    )


def own_address_questions(expect: Source) -> tuple[ShellQuestion, ...]:
    """Build the questions after the vantages' own addresses."""
    return tuple(ShellQuestion(source.value, OWN_ADDRESS) for source in expect.sources)


def as_reach(expect: Local | Source | Affinity) -> Reach:
    """See a kind as a reach of the same Service, for what they have in common."""
    sources = (Vantage.SAME_NAMESPACE,) if isinstance(expect, Local) else expect.sources
    if isinstance(expect, Local) and expect.at is At.NODE_PORT:
        sources = (Vantage.OUTSIDE_CLIENT,)
    labels = {} if isinstance(expect, Source) else expect.answered_by
    return Reach(expect.service, expect.port, expect.at, sources, labels)


def affinity_questions(expect: Affinity, objects: Objects, namespace: str) -> tuple[ReachQuestion, ...]:
    """Build one question a vantage: so many fresh connections, whoever answers."""
    return tuple(
        ReachQuestion(item.vantage, item.host, item.port, (), AFFINITY_TRIES)
        for item in reach_questions(as_reach(expect), objects, namespace, {})
    )


def affinity_controls(expect: Affinity, objects: Objects, namespace: str) -> tuple[ReachQuestion, ...]:
    """Build the same questions to the Service without affinity, which must reach all Pods."""
    control = Reach(expect.control, expect.port, expect.at, expect.sources, expect.answered_by)
    return reach_questions(control, objects, namespace, {})


def env_questions(expect: Env, objects: Objects) -> Mapping[str, ShellQuestion]:
    """Build one question a running Pod, by its name, to the first TCP port that it declares."""
    found = {}
    for pod in living(objects.get("pods", ()), expect.pods):
        ports = [
            int(port["containerPort"])
            for container in pod["spec"].get("containers") or ()
            for port in container.get("ports") or ()
            if port.get("protocol", "TCP") == "TCP"
        ]
        if ports and addresses_of(pod) and is_ready(pod):
            found[name_of(pod)] = ShellQuestion(f"pod/{name_of(pod)}:{ports[0]}", ENVIRONMENT)
    return found
