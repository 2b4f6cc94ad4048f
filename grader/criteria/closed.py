"""Criterion `closed`: nothing opens Pods to clients outside of the cluster but the Services that the task names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from grader.causes.answers import described
from grader.causes.ruling import Ruling, fail, passed
from grader.causes.scene import Scene, Sight
from grader.causes.words import label_text, listed, word
from grader.criteria.kind import Questions
from grader.model.choosing import living
from grader.model.evidence import ReachQuestion
from grader.model.kubernetes import (
    actual_slices,
    addresses_of,
    ingress_address,
    internal_ip,
    labels_of,
    name_of,
    selects,
)
from grader.model.objects import Objects, RawObject
from grader.model.report import Hop
from grader.model.vantage import PROBE_POD, Vantage


@dataclass(frozen=True)
class Opening:
    """One way in from outside of the cluster.

    Attributes:
        kind: kind of the object that opens it.
        name: its name.
        field: the field that does.
        value: its value, for a person.
        host: address that a client would use, "" where none is known.
        port: port number there.
    """

    kind: str
    name: str
    field: str
    value: str
    host: str = ""
    port: int = 0


@dataclass(frozen=True)
class Closed:
    """Nothing opens Pods to clients outside of the cluster.

    Attributes:
        pods: labels of the Pods.
        besides: Services whose node ports and load balancers the task asks for.
        ports: the ports of those Services that may be open; none: all.
    """

    pods: Mapping[str, str]
    besides: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = True
    outside: ClassVar[bool] = True
    service: ClassVar[str] = ""
    hop: ClassVar[Hop] = Hop.OUTSIDE_CLIENT
    hops: ClassVar[frozenset[Hop]] = frozenset({Hop.OUTSIDE_CLIENT})
    resources: ClassVar[frozenset[str]] = frozenset({"ingresses"})

    @property
    def subject(self) -> str:
        """The Pods."""
        return label_text(self.pods)

    @property
    def aspect(self) -> str:
        """That it is about ways in."""
        return word("aspect", "closed")

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask from outside at every opening: whether somebody answers is told, and decides nothing."""
        return Questions(reach=tuple(self._asked(sight.objects)))

    def _asked(self, objects: Objects) -> Iterator[ReachQuestion]:
        asked = {(item.host, item.port): None for item in self._openings(objects) if item.host and item.port}
        return (ReachQuestion(Vantage.OUTSIDE_CLIENT.value, host, port) for host, port in asked)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge by the objects: what is open is so whether or not somebody answers there now."""
        opening = next(self._openings(scene.objects), None)
        facts = {"labels": label_text(self.pods)}
        if opening is None:
            return passed("closed", **facts, besides=listed(self.besides))
        told = {"kind": opening.kind, "name": opening.name, "field": opening.field, "value": opening.value}
        return fail("opened-though", self.hop, **facts, **told)

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show what may be open beside what is, and who answered there."""
        openings = [f"{item.kind}/{item.name} {item.field}={item.value}" for item in self._openings(scene.objects)]
        answers = described(scene, tuple(self._asked(scene.objects)))
        return listed(self.besides) if self.besides else word("plain", "none"), "\n".join([listed(openings), answers])

    def _openings(self, objects: Objects) -> Iterator[Opening]:
        """Give every way in, of Pods themselves, Services and Ingresses."""
        pods = [pod for pod in living(objects.of("pods"), self.pods) if name_of(pod) != PROBE_POD]
        for pod in pods:
            yield from _of_pod(pod)
        leading = [item for item in objects.of("services") if _leads_to(item, pods, objects)]
        for service in leading:
            yield from _of_service(service, objects, self.ports if name_of(service) in self.besides else None)
        names = {name_of(item) for item in leading}
        for ingress in objects.of("ingresses"):
            if reached := sorted(names & set(_backends(ingress))):
                yield Opening("Ingress", name_of(ingress), "spec.rules", listed(reached))


def _leads_to(service: RawObject, pods: list[RawObject], objects: Objects) -> bool:
    """Tell whether a Service chooses one of these Pods, or has a slice with an address of theirs."""
    selector = service.get("spec", {}).get("selector")
    if any(selects(selector, labels_of(pod)) for pod in pods):
        return True
    addresses = {address for pod in pods for address in addresses_of(pod)}
    return any(item.address in addresses for item in actual_slices(service, objects.of("endpointslices")))


def _of_pod(pod: RawObject) -> Iterator[Opening]:
    host = str(pod.get("status", {}).get("hostIP") or "")
    if pod["spec"].get("hostNetwork"):
        yield Opening("Pod", name_of(pod), "spec.hostNetwork", "true")
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                number = int(port["hostPort"])
                yield Opening("Pod", name_of(pod), "spec.containers.ports.hostPort", str(number), host, number)


def _of_service(service: RawObject, objects: Objects, asked: tuple[int, ...] | None) -> Iterator[Opening]:
    """Give the openings of a Service.

    Args:
        service: the Service.
        objects: what was listed.
        asked: the ports of a Service that the task wants open, none for all of them; None: it wants none open.
    """
    spec, name = service["spec"], name_of(service)
    ports = spec.get("ports") or ()
    number = int(ports[0]["port"]) if ports else 0
    for address in spec.get("externalIPs") or ():
        yield Opening("Service", name, "spec.externalIPs", str(address), str(address), number)
    if asked is not None:
        for port in ports:
            if asked and port["port"] not in asked:
                yield Opening("Service", name, "spec.ports.port", str(port["port"]))
        return
    if spec.get("type") == "LoadBalancer":
        address = ingress_address(service)
        yield Opening("Service", name, "spec.type", f"LoadBalancer {address}".strip(), address, number)
    for port in ports:
        if port.get("nodePort"):
            host = next((ip for node in objects.of("nodes") if (ip := internal_ip(node))), "")
            yield Opening("Service", name, "spec.ports.nodePort", str(port["nodePort"]), host, int(port["nodePort"]))


def _backends(ingress: RawObject) -> Iterator[str]:
    """Name the Services that an Ingress leads to (networking.k8s.io/v1)."""
    spec = ingress.get("spec") or {}
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") or {} for path in (rule.get("http") or {}).get("paths") or ()]
    return (str((item.get("service") or {}).get("name", "")) for item in backends)
