"""Questions that are answered and not stored: who am I, may I. The administrator may do everything (access.py)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import ADMIN, JSON, Response, User
from grader.embedded.core.api.http.negotiate import encode
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.write.writes import Writer

_OWN = [
    {"verbs": ["create"], "apiGroups": [group], "resources": resources}
    for group, resources in (
        ("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
        ("authentication.k8s.io", ["selfsubjectreviews"]),
    )
]
_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version"]


def review(call: Call, writer: Writer) -> Response:
    """Answer a SelfSubjectAccessReview and its kin. Raises ApiError."""
    request, resource = call.request, call.resource
    admin = request.user is ADMIN
    asked, _ = writer.read_body(call)
    answer = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}, "spec": asked.get("spec", {})}
    match resource.kind:
        case "SelfSubjectAccessReview":
            answer["status"] = {"allowed": admin}
        case "SelfSubjectRulesReview":
            rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}] if admin else _OWN
            paths = (
                {"verbs": ["*"], "nonResourceURLs": ["*"]} if admin else {"verbs": ["get"], "nonResourceURLs": _PATHS}
            )
            answer["status"] = {"resourceRules": rules, "nonResourceRules": [paths], "incomplete": False}
        case "SelfSubjectReview":
            answer.pop("spec")
            answer["status"] = {"userInfo": _info(request.user)}
        case _:
            raise status.method_not_allowed()
    return Response(201, (("content-type", JSON),), encode(answer))


def _info(user: User) -> dict[str, Any]:
    """authentication/v1 UserInfo."""
    info: dict[str, Any] = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra}
    return info
