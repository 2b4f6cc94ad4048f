"""Policies of a Service that keep it from serving every client, told by the objects before anybody is asked."""

from __future__ import annotations

from grader.causes.ruling import Ruling
from grader.causes.scene import Scene
from grader.causes.traffic import served_locally
from grader.causes.way import Way
from grader.criteria.local import Local
from grader.model.objects import RawObject
from grader.model.vantage import At


def policy_starves(way: Way, scene: Scene, service: RawObject, namespace: str = "") -> Ruling | None:
    """Object to an internalTrafficPolicy Local that leaves clients of some node without an answer.

    Not where the exercise asks for just that. On which node a client of ours happens to be must not decide.

    Args:
        way: the way to its port.
        scene: what was observed.
        service: the Service.
        namespace: a further Namespace where it is, "" for the exercise's own.
    """
    asked_for = any(
        isinstance(expect := criterion.expect, Local)
        and (expect.service, expect.at, expect.otherwise) == (way.service, At.CLUSTER_IP, "nobody")
        for criterion in scene.exercise.criteria
    )
    return served_locally(scene, service, way.port, namespace) if way.inside and not asked_for else None
