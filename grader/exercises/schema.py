"""The shape of exercise.yaml, as pydantic models; `json_schema()` is for editors. Kinds of criteria: `kinds`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from grader.criteria.endpoints import Endpoints
from grader.criteria.reach import Reach
from grader.criteria.registry import KINDS
from grader.exercises.kinds import (
    OUTSIDE,
    AffinitySchema,
    CallSchema,
    ClosedSchema,
    DnsSchema,
    EndpointsSchema,
    EnvSchema,
    FieldPath,
    Kind,
    LocalSchema,
    Name,
    ObjectSchema,
    ProbeSchema,
    ReachSchema,
    SourceSchema,
    Strict,
)
from grader.model.exercise import Criterion
from grader.model.ground import Given, GroundRule
from grader.model.report import Hop

NEGATABLE = tuple(name for name, kind in KINDS.items() if kind.negatable)
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Value = Annotated[str, Field(pattern=r"^[^\r\n]+$")] | int
GivenName = Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/)?[A-Z][A-Za-z]+/[a-z0-9][-.a-z0-9]*$")]
Changeable = Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/)?[A-Z][A-Za-z]+$")]


class Expected(Strict):
    """Exactly one kind of expectation."""

    object: ObjectSchema | None = None
    endpoints: EndpointsSchema | None = None
    dns: DnsSchema | None = None
    reach: ReachSchema | None = None
    call: CallSchema | None = None
    local: LocalSchema | None = None
    source: SourceSchema | None = None
    affinity: AffinitySchema | None = None
    env: EnvSchema | None = None
    closed: ClosedSchema | None = None
    probe: ProbeSchema | None = None

    def one(self) -> Kind:
        """Find the only expectation given. Raises ValueError where there is none, or several."""
        given: list[Kind] = [kind for name, kind in self if name in KINDS and kind is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        return given[0]


class NotSchema(Expected):
    """What must not hold."""

    @model_validator(mode="after")
    def _exactly_one(self) -> NotSchema:
        kind = self.one()
        if not any(name in NEGATABLE and value is not None for name, value in self):
            what = "`not: object:` has no positive control; use `object: {absent: true}`; " if self.object else ""
            raise ValueError(f"{what}only {', '.join(NEGATABLE)} can be negated")
        if isinstance(kind, ReachSchema) and not kind.control and OUTSIDE & set(kind.from_):
            raise ValueError("a negated reach from outside the cluster needs a `control` that the same vantage reaches")
        return self


class CriterionSchema(Expected):
    """One criterion: an id, points, and one expectation (perhaps under `not`)."""

    id: Name
    points: Annotated[float, Field(gt=0, strict=False)]
    hop: Annotated[Hop, Field(strict=False)] | None = None
    says: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    not_: NotSchema | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> CriterionSchema:
        if self.not_ is None:
            self.one()
        elif any(name in KINDS and value is not None for name, value in self):
            raise ValueError(f"give either `not` or one of {', '.join(KINDS)}")
        return self

    def criterion(self) -> Criterion:
        """Build the criterion of the model."""
        expect = (self.not_ or self).one().expectation()
        return Criterion(self.id, self.points, expect, self.not_ is not None, self.hop or expect.hop, tuple(self.says))


class GroundSchema(Strict):
    """What a learner may do to the given workload; what is not named must stay as it was laid."""

    says: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    may_differ: dict[GivenName, Annotated[list[FieldPath], Field(min_length=1)]] = Field(default_factory=dict)
    kept: list[GivenName] = Field(default_factory=list)
    may_go: list[GivenName] = Field(default_factory=list)
    makes: list[GivenName] = Field(default_factory=list)

    def rule(self, namespace: str) -> GroundRule:
        """Build the rule of the model; a name without a Namespace is of the exercise's own, `namespace`."""
        return GroundRule(
            tuple(self.says),
            {_given(name, namespace): tuple(fields) for name, fields in self.may_differ.items()},
            frozenset(_given(name, namespace) for name in self.kept),
            frozenset(_given(name, namespace) for name in self.may_go),
            frozenset(_given(name, namespace) for name in self.makes),
        )


def _given(text: str, namespace: str) -> Given:
    """Read "Kind/name" or "namespace/Kind/name"."""
    *home, kind, name = text.split("/")
    return Given(home[0] if home else namespace, kind, name)


class BrokenSchema(Strict):
    """What the ground of a debugging exercise shows before anybody repairs it."""

    criterion: Name
    diagnosis: Name


class RenewedSchema(Strict):
    """Why an answer need not stand when every Pod is made anew (`grader verify --renewed`)."""

    exempt: Annotated[str, Field(min_length=1)]


class ExerciseSchema(Strict):
    """The whole of exercise.yaml."""

    id: Name
    vary: dict[Variable, Annotated[list[Value], Field(min_length=2)]] = Field(default_factory=dict)
    lesson: Annotated[int, Field(ge=1, le=18)]
    title: Annotated[str, Field(min_length=1)]
    points: Annotated[float, Field(gt=0, strict=False)]
    namespace: Name | None = None
    may_change: Annotated[list[Changeable], Field(min_length=1)] = Field(default_factory=lambda: ["Service"])
    namespaces: list[Name] = Field(default_factory=list)
    ready: dict[Name, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    broken: BrokenSchema | None = None
    ground: GroundSchema = Field(default_factory=GroundSchema)
    renewed: RenewedSchema | None = None
    criteria: Annotated[list[CriterionSchema], Field(min_length=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> ExerciseSchema:
        ids = [criterion.id for criterion in self.criteria]
        if len(set(ids)) != len(ids) or {"ground", "manifest"} & set(ids):
            raise ValueError("criterion ids must be unique, and none may be `ground` or `manifest`")
        total = sum(criterion.points for criterion in self.criteria)
        if abs(total - self.points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria add up to {total:g}")
        if self.broken and self.broken.criterion not in ids:
            raise ValueError(f"`broken` names {self.broken.criterion}, which is not one of {', '.join(ids)}")
        return self

    @field_validator("vary")
    @classmethod
    def _different(cls, vary: dict[str, list[str | int]]) -> dict[str, list[str | int]]:
        for name, values in vary.items():
            if len({str(value) for value in values}) != len(values):
                raise ValueError(f"the values of {name} must be different")
        return vary

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

    def all_criteria(self) -> tuple[Criterion, ...]:
        """Build the criteria; a reach of a Service expects of its Pods what an endpoints criterion says of them."""
        return _agreeing([item.criterion() for item in self.criteria])


def _agreeing(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    said = {
        item.expect.service: item.expect
        for item in criteria
        if isinstance(item.expect, Endpoints) and not item.negated and not item.expect.among
    }

    def agree(item: Criterion) -> Criterion:
        expect = item.expect
        if not isinstance(expect, Reach) or expect.service not in said:
            return item
        endpoints = said[expect.service]
        return replace(item, expect=replace(expect, readiness=endpoints.readiness, pods_in=endpoints.pods_in))

    return tuple(agree(item) for item in criteria)


def json_schema() -> dict[str, Any]:
    """Generate the JSON Schema of exercise.yaml, for editors (`# yaml-language-server: $schema=…`)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ExerciseSchema.model_json_schema()}
