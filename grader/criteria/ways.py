"""What must be in place along a way to a Service port before anybody can answer there."""

from __future__ import annotations

from grader.causes.endpoints import endpoints_wrong
from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.service import address_missing, port_missing, proxy_ignores, types_with, wrong_type
from grader.causes.traffic import narrow_ranges
from grader.causes.wanted import Wanted
from grader.causes.way import Way
from grader.causes.words import listed
from grader.criteria.endpoints import Endpoints, lasting_of
from grader.criteria.object import wanted_node_port
from grader.model.exercise import Exercise
from grader.model.kubernetes import name_of
from grader.model.objects import RawObject
from grader.model.report import Hop
from grader.model.vantage import At


def way_missing(way: Way, scene: Scene, service: RawObject) -> Ruling | None:
    """Object to what stands in the way of any answer: type, port, endpoints, address."""
    exercise = scene.exercise
    return (
        wrong_type(service, headless_too=True, allowed=types_with(way.at))
        or port_missing(service, way.port)
        or (endpoints_wrong(scene, service, wanted_of(way, exercise)) if way.answered_by else None)
        or proxy_ignores(service)
        or address_missing(way, scene, service, wanted_node_port(exercise, way.service, way.port))
        or _clients_kept_out(way, service)
    )


def _clients_kept_out(way: Way, service: RawObject) -> Ruling | None:
    """Object to a load balancer that serves some clients only, whether or not ours is one of them."""
    ranges = narrow_ranges(service["spec"])
    if way.at is not At.LOAD_BALANCER or not ranges:
        return None
    facts = {"service": name_of(service), "ranges": listed(ranges)}
    return fail("source-ranges-exclude-client", Hop.OUTSIDE_CLIENT, **facts)


def wanted_of(way: Way, exercise: Exercise) -> Wanted:
    """Say which endpoints the Service of a way must have: with the resolved port that an endpoints criterion names."""
    return Wanted(
        way.answered_by,
        _wanted_port(exercise, way),
        way.port,
        way.readiness,
        pods_in=way.pods_in,
        lasting=lasting_of(exercise, way.service),
    )


def _wanted_port(exercise: Exercise, way: Way) -> int | None:
    for criterion in exercise.criteria:
        other = criterion.expect
        if (
            isinstance(other, Endpoints)
            and not criterion.negated
            and not other.among
            and other.service == way.service
            and other.service_port in (None, way.port)
        ):
            return other.port
    return None
