"""Whether a client is a person's, and JSON as it is shown to one.

Source: k8s.io/apiserver v0.36.3 pkg/endpoints/handlers/negotiation/negotiate.go (isPrettyPrint,
acceptMediaTypeOptions), k8s.io/apimachinery v0.36.3 pkg/runtime/serializer/json/json.go (two spaces, no newline at
the end).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from grader.embedded.core.api.http.messages import JSON, Request, Response

_HUMAN = ("curl", "Wget", "Mozilla/5.0")  # beginnings of User-Agents: any case but this is another client
_PRETTY = re.compile(r";\s*pretty=1\s*(?:[;,]|$)")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))  # Go's strconv.ParseBool


def is_pretty(request: Request) -> bool:
    """Whether a request's answer is indented: by `pretty`, else by its User-Agent or `Accept: …;pretty=1`."""
    if asked := request.param("pretty"):
        return asked in _TRUE or _accepts_pretty(request.headers)
    return request.headers.get("user-agent", "").startswith(_HUMAN) or _accepts_pretty(request.headers)


def _accepts_pretty(headers: Mapping[str, str]) -> bool:
    return _PRETTY.search(headers.get("accept", "")) is not None


def indented(value: Any) -> bytes:
    """A document as a person reads it (Go's json.MarshalIndent with two spaces)."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def prettied(answer: Response) -> Response:
    """An answer with its JSON indented; any other as it is."""
    kind = next((value for name, value in answer.headers if name == "content-type"), "")
    if not kind.startswith(JSON) or not answer.body:
        return answer
    return Response(answer.status, answer.headers, indented(json.loads(answer.body)))
