"""The one place that lists the kinds of criteria, by their names in exercise.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from grader.criteria.affinity import Affinity
from grader.criteria.call import Call
from grader.criteria.closed import Closed
from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.env import Env
from grader.criteria.kind import Kind
from grader.criteria.local import Local
from grader.criteria.object import Object
from grader.criteria.probe import Probe
from grader.criteria.reach import Reach
from grader.criteria.source import Source
from grader.model.exercise import Criterion

KINDS: Mapping[str, type[Kind]] = {
    "object": Object,
    "endpoints": Endpoints,
    "dns": Dns,
    "reach": Reach,
    "call": Call,
    "local": Local,
    "source": Source,
    "affinity": Affinity,
    "env": Env,
    "closed": Closed,
    "probe": Probe,
}


def kind_of(criterion: Criterion) -> Kind:
    """See what a criterion expects as its kind. Raises TypeError where it is none of the registry's.

    Also where it is negated and its kind cannot be: a programming error, which exercise.yaml's schema keeps out.
    """
    expect = criterion.expect
    found = next((expect for kind in KINDS.values() if isinstance(expect, kind)), None)
    if found is None:
        raise TypeError(f"{type(expect).__name__} is no registered kind of criterion")
    if criterion.negated and not found.negatable:
        raise TypeError(f"{type(expect).__name__} cannot be negated")
    return found
