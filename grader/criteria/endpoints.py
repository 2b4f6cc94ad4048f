"""Criterion `endpoints`: the EndpointSlices of a Service hold exactly these Pods with this resolved port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from grader.causes.endpoints import endpoints_wrong
from grader.causes.ruling import Ruling, fail, passed, turned_round
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing, wrong_type
from grader.causes.wanted import Wanted
from grader.causes.words import aspect_text, label_text, listed, port_number_text, word
from grader.criteria.kind import Questions
from grader.model.choosing import serving
from grader.model.exercise import Exercise
from grader.model.kubernetes import actual_slices, addresses_of, name_of
from grader.model.report import Hop
from grader.model.vantage import Readiness


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
        lasting: whether the Service must still find them when they are made anew.
    """

    service: str
    pods: Mapping[str, str]
    port: int
    service_port: int | None = None
    count: int | None = None
    readiness: Readiness = Readiness.REQUIRED
    among: Mapping[str, str] = field(default_factory=dict)
    pods_in: str = ""
    lasting: bool = True

    negatable: ClassVar[bool] = True
    forbids: ClassVar[bool] = False
    outside: ClassVar[bool] = False
    hop: ClassVar[Hop] = Hop.ENDPOINT_SLICE
    hops: ClassVar[frozenset[Hop]] = frozenset({Hop.ENDPOINT_SLICE})
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The port, and the Pods."""
        return aspect_text(port_number_text(self.service_port or self.port), label_text(self.pods))

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask nothing: the objects tell."""
        return Questions()

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge the endpoints of a Service: exactly these Pods, by UID, ready, with this resolved port."""
        ruling = self._rule(scene)
        return turned_round(self.service, ruling) if negated else ruling

    def _rule(self, scene: Scene) -> Ruling:
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        wanted = Wanted(self.pods, self.port, self.service_port, self.readiness, self.among, self.pods_in, self.lasting)
        if objection := wrong_type(service, headless_too=False) or endpoints_wrong(scene, service, wanted):
            return objection
        pods = scene.backends(self.pods, self.pods_in)
        if self.count is not None and len(pods) != self.count:
            return fail(
                "backend-pods-differ", Hop.ENDPOINT_SLICE,
                labels=label_text(self.pods), count=self.count, seen=len(pods),
            )  # fmt: skip
        ready = serving(pods, Readiness.REQUIRED)
        code = {Readiness.GATED: "endpoints-gated", Readiness.PUBLISHED: "endpoints-published"}
        return passed(
            code.get(self.readiness, "endpoints-exact"),
            service=self.service, count=len(pods), ready=len(ready), unready=len(pods) - len(ready), port=self.port,
        )  # fmt: skip

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the Pods with the port, beside the endpoints that are ready."""
        service = scene.service(self.service)
        pods = scene.backends(self.pods, self.pods_in)
        if self.readiness is Readiness.GATED:
            pods = serving(pods, self.readiness)
        expected = [f"{name_of(pod)}:{self.port}" for pod in pods]
        names = {ip: name_of(pod) for pod in scene.backends(self.pods, self.pods_in) for ip in addresses_of(pod)}
        endpoints = sorted(actual_slices(service, scene.slices)) if service else []
        seen = {
            f"{item.name or names.get(item.address, item.address)}:{item.port or word('plain', 'no-port')}"
            for item in endpoints
            if item.ready
        }
        return listed(expected), listed(sorted(seen))


def lasting_of(exercise: Exercise, service: str) -> bool:
    """Tell whether a Service must find its Pods for good: unless an endpoints criterion of it says otherwise."""
    said = [item.expect for item in exercise.criteria if isinstance(item.expect, Endpoints)]
    return all(item.lasting for item in said if item.service == service)


def readiness_of(exercise: Exercise, service: str) -> Readiness:
    """Tell which Pods of a Service must be endpoints, by the first endpoints criterion that speaks of it."""
    said = [item.expect for item in exercise.criteria if isinstance(item.expect, Endpoints)]
    return next((item.readiness for item in said if item.service == service), Readiness.REQUIRED)
