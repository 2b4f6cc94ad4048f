"""The shape of exercise.yaml, as pydantic models: one class a kind of criterion; `json_schema()` is for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from grader.model.exercise import At, Criterion, Dns, Endpoints, Object, Reach, Vantage
from grader.model.report import Hop

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Labels = Annotated[dict[str, str], Field(min_length=1)]
Changeable = Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/)?[A-Z][A-Za-z]+$")]

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

    kind: Literal["Service", "Pod", "EndpointSlice", "Deployment"] = "Service"
    name: Name
    matches: dict[str, Any] = Field(default_factory=dict)
    absent: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> ObjectSchema:
        if self.absent == bool(self.matches):
            raise ValueError("give either `matches` or `absent: true`")
        return self

    def expectation(self) -> Object:
        """Build the expectation of the model."""
        return Object(self.kind, self.name, self.matches, self.absent)

    def hop(self) -> Hop:
        """Tell the hop it is about."""
        return Hop.SERVICE if self.kind == "Service" else Hop.ENDPOINT_SLICE


class EndpointsSchema(Strict):
    """Endpoints of a Service as Pods and resolved port."""

    service: Name
    pods: Labels
    port: Port
    service_port: Port | None = None
    count: Annotated[int, Field(ge=1)] | None = None

    def expectation(self) -> Endpoints:
        """Build the expectation of the model."""
        return Endpoints(self.service, self.pods, self.port, self.service_port, self.count)

    def hop(self) -> Hop:
        """Tell the hop it is about."""
        return Hop.ENDPOINT_SLICE


class DnsSchema(Strict):
    """DNS as an exact RRset and response code."""

    name: str
    from_: Annotated[Vantage, Field(strict=False)]
    type: Literal["A", "AAAA", "SRV", "CNAME", "PTR"] = "A"
    is_: Literal["cluster-ip", "nothing"] | list[str]
    service: Name | None = None
    rcode: Literal["NOERROR", "NXDOMAIN"] = "NOERROR"

    @field_validator("from_")
    @classmethod
    def _from_a_pod(cls, source: Vantage) -> Vantage:
        if source not in (Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE):
            raise ValueError(f"a DNS question is asked from same-namespace or other-namespace, not {source}")
        return source

    def expectation(self) -> Dns:
        """Build the expectation of the model."""
        records = tuple(self.is_) if isinstance(self.is_, list) else self.is_
        service = self.service or self.name.split(".")[0]
        return Dns(self.name, self.from_, self.type, records, service, self.rcode)

    def hop(self) -> Hop:
        """Tell the hop it is about."""
        return Hop.DNS


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

    def expectation(self) -> Reach:
        """Build the expectation of the model."""
        return Reach(self.service, self.port, self.at, tuple(self.from_), self.answered_by, self.all_of_them)

    def hop(self) -> Hop:
        """Tell the hop it is about."""
        if Vantage.LEARNER_HOST in self.from_:
            return Hop.LEARNER_HOST
        if Vantage.OUTSIDE_CLIENT in self.from_:
            return Hop.OUTSIDE_CLIENT
        return Hop.NODE if self.at is At.NODE_PORT else Hop.RESPONSE


class ReachSchema(ControlSchema):
    """A reach that can carry a positive control, used in `not`."""

    control: ControlSchema | None = None

    def expectation(self) -> Reach:
        """Build the expectation of the model."""
        plain = super().expectation()
        control = self.control.expectation() if self.control else None
        return Reach(**{**vars(plain), "control": control})


Kind = ObjectSchema | EndpointsSchema | DnsSchema | ReachSchema


class Expected(Strict):
    """Exactly one kind of expectation."""

    object: ObjectSchema | None = None
    endpoints: EndpointsSchema | None = None
    dns: DnsSchema | None = None
    reach: ReachSchema | None = None

    def one(self) -> Kind:
        """Find the only expectation given. Raises ValueError where there is none, or several."""
        given = [kind for kind in (self.object, self.endpoints, self.dns, self.reach) if kind is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of object, endpoints, dns, reach")
        return given[0]


class NotSchema(Expected):
    """What must not hold."""

    @model_validator(mode="after")
    def _exactly_one(self) -> NotSchema:
        kind = self.one()
        if isinstance(kind, ReachSchema) and not kind.control and OUTSIDE & set(kind.from_):
            raise ValueError("a negated reach from outside the cluster needs a `control` that the same vantage reaches")
        return self


class CriterionSchema(Expected):
    """One criterion: an id, points, and one expectation (perhaps under `not`)."""

    id: Name
    points: Annotated[float, Field(gt=0, strict=False)]
    hop: Annotated[Hop, Field(strict=False)] | None = None
    not_: NotSchema | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> CriterionSchema:
        if self.not_ is None:
            self.one()
        elif any((self.object, self.endpoints, self.dns, self.reach)):
            raise ValueError("give either `not` or one of object, endpoints, dns, reach")
        elif self.not_.object is not None:
            raise ValueError("`not: object:` has no positive control; use `object: {absent: true}`")
        return self

    def criterion(self) -> Criterion:
        """Build the criterion of the model."""
        kind = self.not_.one() if self.not_ else self.one()
        return Criterion(self.id, self.points, kind.expectation(), self.not_ is not None, self.hop or kind.hop())


class BrokenSchema(Strict):
    """What the ground of a debugging exercise shows before anybody repairs it."""

    criterion: Name
    diagnosis: Name


class ExerciseSchema(Strict):
    """The whole of exercise.yaml."""

    id: Name
    lesson: Annotated[int, Field(ge=1, le=18)]
    title: Annotated[str, Field(min_length=1)]
    points: Annotated[float, Field(gt=0, strict=False)]
    namespace: Name | None = None
    may_change: Annotated[list[Changeable], Field(min_length=1)] = Field(default_factory=lambda: ["Service"])
    namespaces: list[Name] = Field(default_factory=list)
    ready: dict[Name, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    broken: BrokenSchema | None = None
    criteria: Annotated[list[CriterionSchema], Field(min_length=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> ExerciseSchema:
        ids = [criterion.id for criterion in self.criteria]
        if len(set(ids)) != len(ids) or "manifest" in ids:
            raise ValueError("criterion ids must be unique, and none may be `manifest`")
        total = sum(criterion.points for criterion in self.criteria)
        if abs(total - self.points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria add up to {total:g}")
        if self.broken and self.broken.criterion not in ids:
            raise ValueError(f"`broken` names {self.broken.criterion}, which is not one of {', '.join(ids)}")
        return self

    @model_validator(mode="after")
    def _owns_its_namespaces(self) -> ExerciseSchema:
        own = self.namespace or self.id
        if len(set(self.namespaces)) != len(self.namespaces) or own in self.namespaces:
            raise ValueError("`namespaces` must be different from each other and from the exercise's own")
        if strange := [name for name in self.namespaces if not name.startswith(f"{self.id}-")]:
            raise ValueError(f"a further Namespace is named {self.id}-…, not {', '.join(strange)}")
        for entry in self.may_change:
            namespace, slash, _ = entry.rpartition("/")
            if slash and namespace not in self.namespaces:
                raise ValueError(f"`may-change` names {entry}, but {namespace} is not one of `namespaces`")
        if all("/" in entry for entry in self.may_change):
            raise ValueError("`may-change` must name a kind of the exercise's own Namespace")
        return self

    def changeable(self, namespace: str = "") -> tuple[str, ...]:
        """List the kinds that a learner may change in a further Namespace, or in the exercise's own."""
        split = [entry.rpartition("/") for entry in self.may_change]
        return tuple(kind for where, _, kind in split if where == namespace)


def json_schema() -> dict[str, Any]:
    """Generate the JSON Schema of exercise.yaml, for editors (`# yaml-language-server: $schema=…`)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ExerciseSchema.model_json_schema()}
