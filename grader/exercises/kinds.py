"""Kinds of criterion in exercise.yaml, one pydantic model each, which builds the expectation it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from grader.causes.way import INSIDE, Way
from grader.criteria.affinity import Affinity
from grader.criteria.call import Call
from grader.criteria.closed import Closed
from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.env import Env
from grader.criteria.local import Local
from grader.criteria.object import Object
from grader.criteria.probe import Probe
from grader.criteria.reach import Reach
from grader.criteria.records import ClusterIp, Nothing, PodNamed, PodsOf, Records, Wanted
from grader.criteria.source import Source
from grader.model.vantage import At, ConfigKey, Readiness, Vantage

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
FieldPath = Annotated[str, Field(pattern=r"^[a-zA-Z]+(\.[a-zA-Z]+)*$")]
Labels = Annotated[dict[str, str], Field(min_length=1)]

OUTSIDE = frozenset({Vantage.OUTSIDE_CLIENT, Vantage.LEARNER_HOST})
ALLOWED_SOURCES: Mapping[At, frozenset[Vantage]] = {
    At.NAME: frozenset({Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE}),
    At.CLUSTER_IP: frozenset({Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE, Vantage.OUTSIDE_CLIENT}),
    At.NODE_PORT: frozenset({Vantage.SAME_NAMESPACE, Vantage.OTHER_NODE, Vantage.OUTSIDE_CLIENT, Vantage.LEARNER_HOST}),
    At.LOAD_BALANCER: frozenset(
        {Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE, Vantage.OUTSIDE_CLIENT, Vantage.LEARNER_HOST}
    ),
}


class Strict(BaseModel):
    """No unknown keys; kebab-case keys in YAML."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=lambda name: name.rstrip("_").replace("_", "-")
    )


class ObjectSchema(Strict):
    """An object as a partial manifest, or its absence."""

    kind: Literal["Service", "Pod", "EndpointSlice", "Deployment", "StatefulSet", "ConfigMap"] = "Service"
    name: Name
    matches: dict[str, Any] = Field(default_factory=dict)
    absent: bool = False
    exactly: list[FieldPath] = Field(default_factory=list)
    untold: list[FieldPath] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_of(self) -> ObjectSchema:
        if self.absent == bool(self.matches):
            raise ValueError("give either `matches` or `absent: true`")
        for path in self.exactly:
            value: Any = self.matches
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if not isinstance(value, list):
                raise ValueError(f"`exactly` names {path}, which is no list in `matches`")
        return self

    def expectation(self) -> Object:
        """Build the expectation."""
        return Object(self.kind, self.name, self.matches, self.absent, tuple(self.exactly), tuple(self.untold))


class EndpointsSchema(Strict):
    """Endpoints of a Service as Pods and resolved port."""

    service: Name
    pods: Labels
    port: Port
    service_port: Port | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    readiness: Annotated[Readiness, Field(strict=False)] = Readiness.REQUIRED
    among: Labels | None = None
    pods_in: Name | None = None
    lasting: bool = True

    def expectation(self) -> Endpoints:
        """Build the expectation."""
        return Endpoints(
            self.service,
            self.pods,
            self.port,
            self.service_port,
            self.count,
            self.readiness,
            self.among or {},
            self.pods_in or "",
            self.lasting,
        )


class ConfigKeySchema(Strict):
    """A value that the learner writes into a ConfigMap."""

    config_map: Name
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$")]

    def of(self) -> ConfigKey:
        """Build the key of the model."""
        return ConfigKey(self.config_map, self.key)


class PodsSchema(Strict):
    """The addresses of the ready Pods with these labels, or of one Pod."""

    pods: Labels | None = None
    pod: Name | None = None

    @model_validator(mode="after")
    def _one_of(self) -> PodsSchema:
        if (self.pods is None) == (self.pod is None):
            raise ValueError("give either `pods` or `pod`")
        return self


def _inside(sources: list[Vantage], what: str) -> list[Vantage]:
    if wrong := [source for source in sources if source not in INSIDE]:
        raise ValueError(f"{what} from same-namespace or other-namespace, not {', '.join(wrong)}")
    return sources


class DnsSchema(Strict):
    """DNS as an exact RRset and response code."""

    name: str | ConfigKeySchema
    from_: Annotated[Vantage, Field(strict=False)]
    type: Literal["A", "AAAA", "SRV", "CNAME", "PTR"] = "A"
    is_: Literal["cluster-ip", "nothing"] | list[str] | PodsSchema
    service: Name | None = None
    rcode: Literal["NOERROR", "NXDOMAIN"] = "NOERROR"
    absolute: bool = False

    @field_validator("from_")
    @classmethod
    def _from_a_pod(cls, source: Vantage) -> Vantage:
        return _inside([source], "a DNS question is asked")[0]

    @model_validator(mode="after")
    def _whose(self) -> DnsSchema:
        if isinstance(self.name, ConfigKeySchema) and not self.service:
            raise ValueError("a name that the learner writes needs `service`: the Service whose name it must be")
        return self

    def expectation(self) -> Dns:
        """Build the expectation."""
        name = self.name.of() if isinstance(self.name, ConfigKeySchema) else self.name
        service = self.service or str(name).split(".")[0]
        return Dns(name, self.from_, self.type, self._wanted(), service, self.rcode, self.absolute)

    def _wanted(self) -> Wanted:
        match self.is_:
            case PodsSchema(pod=str() as pod):
                return PodNamed(pod)
            case PodsSchema() as some:
                return PodsOf(some.pods or {})
            case list() as records:
                return Records(tuple(records))
            case "cluster-ip":
                return ClusterIp()
            case "nothing":
                return Nothing()


class ControlSchema(Strict):
    """Reach as who answers, from which vantage point, at which address."""

    service: Name
    port: Port
    at: Annotated[At, Field(strict=False)]
    from_: Annotated[list[Annotated[Vantage, Field(strict=False)]], Field(min_length=1)]
    answered_by: Labels
    all_of_them: bool = True

    @model_validator(mode="after")
    def _known_ways(self) -> ControlSchema:
        if wrong := [source for source in self.from_ if source not in ALLOWED_SOURCES[self.at]]:
            allowed = ", ".join(sorted(ALLOWED_SOURCES[self.at]))
            raise ValueError(f"`at: {self.at}` cannot be asked from {', '.join(wrong)}; it can from {allowed}")
        return self

    def way(self) -> Way:
        """Build the way that it describes."""
        return Way(self.service, self.port, self.at, tuple(self.from_), self.answered_by, self.all_of_them)


class ReachSchema(ControlSchema):
    """A reach that can carry a positive control, used in `not`."""

    control: ControlSchema | None = None

    def expectation(self) -> Reach:
        """Build the expectation."""
        return Reach(**vars(self.way()), control=self.control.way() if self.control else None)


class CallSchema(Strict):
    """Who answers at a name that is no Service's own, or at an address that the learner wrote down."""

    to: Annotated[str, Field(pattern=r"^[^:/ ]+:[0-9]+$")] | ConfigKeySchema
    from_: Annotated[list[Annotated[Vantage, Field(strict=False)]], Field(min_length=1)]
    answered_by: Labels
    in_: Name | None = None
    service: Name | None = None
    all_of_them: bool = True
    leads_to: Name | None = None

    @field_validator("from_")
    @classmethod
    def _from_pods(cls, sources: list[Vantage]) -> list[Vantage]:
        return _inside(sources, "a name is called")

    def expectation(self) -> Call:
        """Build the expectation."""
        to = self.to.of() if isinstance(self.to, ConfigKeySchema) else self.to
        return Call(
            to,
            tuple(self.from_),
            self.answered_by,
            self.in_ or "",
            self.service or "",
            self.all_of_them,
            self.leads_to or "",
        )


class LocalSchema(Strict):
    """Which node's Pods serve which node."""

    service: Name
    port: Port
    at: Literal["cluster-ip", "node-port"]
    answered_by: Labels
    otherwise: Literal["nobody", "anybody"]

    def expectation(self) -> Local:
        """Build the expectation."""
        return Local(self.service, self.port, At(self.at), self.answered_by, self.otherwise)


class SourceSchema(Strict):
    """The client address that a backend sees."""

    service: Name
    port: Port
    at: Literal["cluster-ip", "node-port", "load-balancer"]
    from_: Annotated[list[Annotated[Vantage, Field(strict=False)]], Field(min_length=1)]
    is_: Literal["kept", "replaced"]

    @model_validator(mode="after")
    def _known_ways(self) -> SourceSchema:
        known = ALLOWED_SOURCES[At(self.at)] - {Vantage.OTHER_NODE, Vantage.LEARNER_HOST}
        if wrong := [source for source in self.from_ if source not in known]:
            raise ValueError(f"`at: {self.at}` cannot be asked from {', '.join(wrong)}; it can from {', '.join(known)}")
        return self

    def expectation(self) -> Source:
        """Build the expectation."""
        return Source(self.service, self.port, At(self.at), tuple(self.from_), self.is_ == "kept")


class AffinitySchema(Strict):
    """One client always reaches the same Pod."""

    service: Name
    port: Port
    at: Literal["name", "cluster-ip"] = "cluster-ip"
    from_: Annotated[list[Annotated[Vantage, Field(strict=False)]], Field(min_length=1)]
    answered_by: Labels
    control: Name

    @field_validator("from_")
    @classmethod
    def _from_pods(cls, sources: list[Vantage]) -> list[Vantage]:
        return _inside(sources, "affinity is asked")

    def expectation(self) -> Affinity:
        """Build the expectation."""
        return Affinity(self.service, self.port, At(self.at), tuple(self.from_), self.answered_by, self.control)


class ClosedSchema(Strict):
    """Nothing opens Pods to clients outside of the cluster."""

    pods: Labels
    except_: list[Name] = Field(default_factory=list)
    ports: list[Port] = Field(default_factory=list)
    to: Literal["outside"] = "outside"

    def expectation(self) -> Closed:
        """Build the expectation."""
        return Closed(self.pods, tuple(self.except_), tuple(self.ports))


class ProbeSchema(Strict):
    """The readiness probe of the container that serves a port."""

    workload: Annotated[str, Field(pattern=r"^(Deployment|StatefulSet|DaemonSet)/[a-z0-9][-.a-z0-9]*$")]
    port: Port
    path: Annotated[str, Field(pattern=r"^/")]
    container: Name | None = None

    def expectation(self) -> Probe:
        """Build the expectation."""
        kind, _, name = self.workload.partition("/")
        return Probe(kind, name, self.port, self.path, self.container or "")


class EnvSchema(Strict):
    """Environment variables of a Service in Pods."""

    pods: Labels
    service: Name
    holds: bool

    def expectation(self) -> Env:
        """Build the expectation."""
        return Env(self.pods, self.service, self.holds)


Kind = (
    ObjectSchema
    | EndpointsSchema
    | DnsSchema
    | ReachSchema
    | CallSchema
    | LocalSchema
    | SourceSchema
    | AffinitySchema
    | EnvSchema
    | ClosedSchema
    | ProbeSchema
)
