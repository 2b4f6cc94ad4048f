"""The shape of exercise.yaml, as pydantic models; `json_schema()` is for editors. Kinds of criteria: `kinds`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, model_validator

from grader.exercises.kinds import (
    OUTSIDE,
    AffinitySchema,
    CallSchema,
    DnsSchema,
    EndpointsSchema,
    EnvSchema,
    Kind,
    LocalSchema,
    Name,
    ObjectSchema,
    ReachSchema,
    SourceSchema,
    Strict,
)
from grader.model.exercise import Criterion, Endpoints, Reach
from grader.model.report import Hop

KINDS = ("object", "endpoints", "dns", "reach", "call", "local", "source", "affinity", "env")
NEGATABLE = ("endpoints", "dns", "reach")


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

    def one(self) -> Kind:
        """Find the only expectation given. Raises ValueError where there is none, or several."""
        given: list[Kind] = [kind for name in KINDS if (kind := getattr(self, name)) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        return given[0]


class NotSchema(Expected):
    """What must not hold."""

    @model_validator(mode="after")
    def _exactly_one(self) -> NotSchema:
        kind = self.one()
        if not any(getattr(self, name) for name in NEGATABLE):
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
    not_: NotSchema | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> CriterionSchema:
        if self.not_ is None:
            self.one()
        elif any(getattr(self, name) for name in KINDS):
            raise ValueError(f"give either `not` or one of {', '.join(KINDS)}")
        return self

    def criterion(self) -> Criterion:
        """Build the criterion of the model."""
        kind = self.not_.one() if self.not_ else self.one()
        return Criterion(self.id, self.points, kind.expectation(), self.not_ is not None, self.hop or kind.hop())


class ExerciseSchema(Strict):
    """The whole of exercise.yaml."""

    id: Name
    lesson: Annotated[int, Field(ge=1, le=18)]
    title: Annotated[str, Field(min_length=1)]
    points: Annotated[float, Field(gt=0, strict=False)]
    namespace: Name | None = None
    may_change: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: ["Service"])
    criteria: Annotated[list[CriterionSchema], Field(min_length=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> ExerciseSchema:
        ids = [criterion.id for criterion in self.criteria]
        if len(set(ids)) != len(ids) or "manifest" in ids:
            raise ValueError("criterion ids must be unique, and none may be `manifest`")
        total = sum(criterion.points for criterion in self.criteria)
        if abs(total - self.points) > 1e-9:
            raise ValueError(f"points is {self.points:g}, but the criteria add up to {total:g}")
        return self

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
