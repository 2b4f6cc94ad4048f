"""A request as those see it who answer it: what it is, what it addresses, and how its answer is to look."""

from __future__ import annotations

from dataclasses import dataclass

from grader.embedded.core.api.http.messages import Request
from grader.embedded.core.api.http.negotiate import Negotiated
from grader.embedded.core.api.http.routes import ResourcePath
from grader.embedded.core.api.kinds.registry import Resource


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a resource that is served.

    Attributes:
        request: the request.
        negotiated: the form that the client accepts.
        target: what its path addresses.
        resource: the resource that this is.
    """

    request: Request
    negotiated: Negotiated
    target: ResourcePath
    resource: Resource
