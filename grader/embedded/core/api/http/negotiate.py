"""What a client accepts, and encoding what it gets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.api.http.messages import JSON
from grader.embedded.core.api.http.status import ApiError

YAML = "application/yaml"


@dataclass(frozen=True)
class Negotiated:
    """What the Accept header asks for.

    Attributes:
        as_kind: "" for the object itself, `Table`, `PartialObjectMetadata` or `PartialObjectMetadataList`.
        yaml: whether YAML is preferred over JSON.
        discovery: versions of aggregated discovery that the client reads.
    """

    as_kind: str = ""
    yaml: bool = False
    discovery: tuple[str, ...] = ()


def negotiate(accept: str) -> Negotiated:
    """Read an Accept header: the first alternative that is served wins."""
    discovery: list[str] = []
    chosen: Negotiated | None = None
    for alternative in accept.split(","):
        media, *options = (part.strip() for part in alternative.split(";"))
        values = dict(option.split("=", 1) for option in options if "=" in option)
        kind = values.get("as", "")
        if kind == "APIGroupDiscoveryList":
            discovery.append(values.get("v", ""))
        if chosen is not None or media not in (JSON, YAML, "application/*", "*/*", ""):
            continue
        if kind in ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            chosen = Negotiated(kind, media == YAML)
    chosen = chosen or Negotiated()
    return Negotiated(chosen.as_kind, chosen.yaml, tuple(discovery))


def encode(value: Any) -> bytes:
    """A JSON document as the server writes it, with the newline that ends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def body(value: Any, negotiated: Negotiated) -> tuple[bytes, str]:
    """A document and its content type."""
    if negotiated.yaml:
        import yaml

        return yaml.safe_dump(value, sort_keys=True, allow_unicode=True).encode(), YAML
    return encode(value), JSON


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def unsupported(accepted: tuple[str, ...]) -> ApiError:
    """415 in the server's words (k8s.io/apiserver/pkg/endpoints/handlers/negotiation/errors.go)."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message, {})
