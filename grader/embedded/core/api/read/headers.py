"""Headers that all answers about a resource share."""

from __future__ import annotations

from grader.embedded.core.api.http.messages import JSON
from grader.embedded.core.api.kinds.registry import Resource

ENDPOINTS_WARNING = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"

_DEPRECATED = {"endpoints": ENDPOINTS_WARNING, "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+"}


def warning_headers(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """Warnings as HTTP headers (RFC 7234, agent `-`), as kubectl shows them."""
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in dict.fromkeys(texts))
    return tuple(("warning", f'299 - "{text}"') for text in escaped)


def kind_warnings(resource: Resource) -> list[str]:
    """The deprecation that each request for a resource is told of (prerelease-lifecycle of k8s.io/api/core/v1)."""
    warning = _DEPRECATED.get(resource.plural)
    return [warning] if warning is not None else []


def kind_headers(
    resource: Resource, content_type: str = JSON, warnings: list[str] | None = None
) -> tuple[tuple[str, str], ...]:
    """Content type and warnings."""
    return (("content-type", content_type), *warning_headers([*kind_warnings(resource), *(warnings or ())]))
