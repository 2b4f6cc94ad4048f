"""What records a name in DNS must have: the address of its Service, nothing, given data, or the addresses of Pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.causes.names import port_unnamed
from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.service import wrong_type
from grader.causes.words import listed
from grader.criteria.endpoints import readiness_of
from grader.model.choosing import serving
from grader.model.kubernetes import addresses_of, name_of
from grader.model.objects import RawObject
from grader.model.report import Hop


@dataclass(frozen=True)
class ClusterIp:
    """The ClusterIP of the name's Service."""

    def of(self, scene: Scene, service: RawObject | None, service_name: str) -> tuple[str, ...]:
        """Compute the record data."""
        return (str(service["spec"].get("clusterIP", "")),) if service else ()

    def impossible(self, service: RawObject, type_: str, name: str) -> Ruling | None:
        """Object to a Service that cannot give a name such records."""
        return wrong_type(service, headless_too=True)


@dataclass(frozen=True)
class Nothing:
    """No record at all."""

    def of(self, scene: Scene, service: RawObject | None, service_name: str) -> tuple[str, ...]:
        """Compute the record data."""
        return ()

    def impossible(self, service: RawObject, type_: str, name: str) -> Ruling | None:
        """Object to nothing."""
        return None


@dataclass(frozen=True)
class Records:
    """Exactly these records.

    Attributes:
        data: record data (SRV: "PORT TARGET").
    """

    data: tuple[str, ...]

    def of(self, scene: Scene, service: RawObject | None, service_name: str) -> tuple[str, ...]:
        """Give the record data."""
        return self.data

    def impossible(self, service: RawObject, type_: str, name: str) -> Ruling | None:
        """Object to a Service without the named port that a SRV record is made of."""
        return port_unnamed(name, service) if type_ == "SRV" else None


@dataclass(frozen=True)
class PodsOf:
    """The addresses of the Pods with these labels: the ready ones, or all that are published.

    Attributes:
        labels: labels of the Pods.
    """

    labels: Mapping[str, str]

    def of(self, scene: Scene, service: RawObject | None, service_name: str) -> tuple[str, ...]:
        """Compute the record data; an endpoints criterion of the same Service says which Pods are published."""
        pods = serving(scene.backends(self.labels), readiness_of(scene.exercise, service_name))
        return tuple(ip for pod in pods for ip in addresses_of(pod))

    def impossible(self, service: RawObject, type_: str, name: str) -> Ruling | None:
        """Object to a Service that is not headless."""
        if ruling := wrong_type(service, headless_too=False):
            return ruling
        address = service["spec"].get("clusterIP")
        if address == "None":
            return None
        return fail("service-not-headless", Hop.SERVICE, service=name_of(service), address=address)


@dataclass(frozen=True)
class PodNamed:
    """The address of one Pod.

    Attributes:
        name: its name.
    """

    name: str

    def of(self, scene: Scene, service: RawObject | None, service_name: str) -> tuple[str, ...]:
        """Compute the record data."""
        return tuple(ip for pod in scene.pods if name_of(pod) == self.name for ip in addresses_of(pod))

    def impossible(self, service: RawObject, type_: str, name: str) -> Ruling | None:
        """Object to nothing."""
        return None


Wanted = ClusterIp | Nothing | Records | PodsOf | PodNamed


def comparable(type_: str, data: Iterable[str]) -> tuple[str, ...]:
    """Make record data comparable: of SRV the port and target (RFC 2782), never priority and weight; sorted."""
    return tuple(sorted({" ".join(item.split()[-2:]) if type_ == "SRV" else item for item in data}))


def shown(wanted: Wanted, data: tuple[str, ...]) -> str:
    """Write record data for a person; an address that is not there yet by its name."""
    return "ClusterIP" if isinstance(wanted, ClusterIp) and not data else listed(data)
