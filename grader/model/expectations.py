"""What a criterion can expect of a cluster: one small class a kind, in Kubernetes' own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Vantage(StrEnum):
    """Where a question is asked from."""

    SAME_NAMESPACE = "same-namespace"
    OTHER_NAMESPACE = "other-namespace"
    OTHER_NODE = "other-node"  # for every node: a probe Pod on a different node
    OUTSIDE_CLIENT = "outside-client"
    LEARNER_HOST = "learner-host"


class At(StrEnum):
    """Which address of a Service a client uses."""

    NAME = "name"
    CLUSTER_IP = "cluster-ip"
    NODE_PORT = "node-port"  # every node's InternalIP; from the learner's host: the mapped address
    LOAD_BALANCER = "load-balancer"


class Readiness(StrEnum):
    """Which Pods must be endpoints, by their readiness."""

    REQUIRED = "required"  # every Pod with the labels is ready, and an endpoint
    GATED = "gated"  # the ready Pods are endpoints; the others, at least one, are not
    PUBLISHED = "published"  # every Pod is an endpoint, although some, at least one, are not ready


@dataclass(frozen=True)
class ConfigKey:
    """A value that the learner writes into a ConfigMap.

    Attributes:
        config_map: its name.
        key: the key in `data`.
    """

    config_map: str
    key: str


@dataclass(frozen=True)
class Object:
    """An object exists and holds a partial manifest, or is absent.

    Attributes:
        kind: "Service", "Pod", "EndpointSlice", "Deployment", "StatefulSet", "ConfigMap".
        name: metadata.name.
        matches: partial manifest: every key given must match; of a list of objects every given item must match a
            different item, in any order.
        absent: the object must not exist.
    """

    kind: str
    name: str
    matches: Mapping[str, Any] = field(default_factory=dict)
    absent: bool = False

    @property
    def service(self) -> str:
        """The Service that this expectation is about, "" where it is another kind of object."""
        return self.name if self.kind == "Service" else ""


@dataclass(frozen=True)
class Endpoints:
    """The EndpointSlices of a Service hold exactly these Pods with this resolved port.

    Attributes:
        service: the Service's name.
        pods: labels of the Pods that must be endpoints, exactly those.
        port: resolved port number (`ports[].port` of the slice).
        service_port: the Service port the endpoints belong to; None: the only one, or whichever resolves to `port`.
        count: how many Pods there must be; None: as many as carry the labels, at least one.
        readiness: which of them, by their readiness.
        among: labels of Pods that may be endpoints beside `pods`, at whatever port; empty: none.
        pods_in: the Namespace where the Pods live, "" for the exercise's own (EndpointSlices made by hand).
    """

    service: str
    pods: Mapping[str, str]
    port: int
    service_port: int | None = None
    count: int | None = None
    readiness: Readiness = Readiness.REQUIRED
    among: Mapping[str, str] = field(default_factory=dict)
    pods_in: str = ""


@dataclass(frozen=True)
class Dns:
    """A DNS question has exactly this RRset and response code.

    Attributes:
        name: a name with a trailing dot is asked as it is; any other goes through the Pod's search list.
        source: the vantage (YAML `from`).
        type: record type, "A".
        is_: "cluster-ip" (the Service's), "nothing", an exact tuple of record data (SRV: "PORT TARGET"), or the labels
            of the Pods whose addresses it must be.
        service: the Service the name belongs to: the first label of the name unless given.
        rcode: expected response code.
        pod: with `is_` "pod": the name of the Pod whose address it must be.
        absolute: the name is asked as it is, without the search list, even without a trailing dot.
    """

    name: str | ConfigKey
    source: Vantage
    type: str
    is_: str | tuple[str, ...] | Mapping[str, str]
    service: str
    rcode: str = "NOERROR"
    pod: str = ""
    absolute: bool = False


@dataclass(frozen=True)
class Reach:
    """Who answers at an address of a Service, seen from vantage points.

    Attributes:
        service: the Service's name.
        port: the Service port (for a node port too: its nodePort is looked up).
        at: which address.
        sources: the vantages (YAML `from`), each of which must reach it.
        answered_by: labels of the Pods that may answer.
        all_of_them: each of these Pods must have answered.
        control: for a negated reach from outside the cluster: what the same vantage must reach meanwhile.
        readiness: which of the Pods answer, as an endpoints criterion of the same Service says.
        pods_in: the Namespace where the Pods live, "" for the exercise's own; likewise.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    all_of_them: bool = True
    control: Reach | None = None
    readiness: Readiness = Readiness.REQUIRED
    pods_in: str = ""


@dataclass(frozen=True)
class Call:
    """Who answers at a name that is no Service's own, or at an address that the learner wrote down.

    Attributes:
        to: "host:port", or where the learner's value is: "http://host[:port]/..." or "host:port".
        sources: the vantages (YAML `from`).
        answered_by: labels of the Pods that may answer.
        pods_in: the Namespace where they live (YAML `in`), "" for the exercise's own.
        service: the Service that the call is about, "" where it is about none.
        all_of_them: each of these Pods must have answered.
    """

    to: str | ConfigKey
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    pods_in: str = ""
    service: str = ""
    all_of_them: bool = True


@dataclass(frozen=True)
class Local:
    """A node that has endpoints is served by its own Pods only; what another gets is `otherwise`.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: `cluster-ip` (asked from a probe on each node) or `node-port` (asked from the outside client of each node).
        answered_by: labels of the Pods that may answer.
        otherwise: "nobody" (a policy Local) or "anybody" (a trafficDistribution).
    """

    service: str
    port: int
    at: At
    answered_by: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True)
class Source:
    """The client address that a backend sees.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: which address.
        sources: the vantages (YAML `from`).
        kept: the client's own address; False: another one.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    kept: bool


@dataclass(frozen=True)
class Affinity:
    """One client always reaches the same Pod, while a Service without affinity spreads over the same Pods.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: `name` or `cluster-ip`.
        sources: the vantages (YAML `from`).
        answered_by: labels of the Pods that may answer.
        control: the given Service without affinity, with the same port number.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    control: str


@dataclass(frozen=True)
class Env:
    """Pods have the environment variables of a Service, or none of them.

    Attributes:
        pods: labels of the Pods.
        service: the Service's name.
        holds: whether they have them.
    """

    pods: Mapping[str, str]
    service: str
    holds: bool


Expectation = Object | Endpoints | Dns | Reach | Call | Local | Source | Affinity | Env
