"""Who may do what: RBAC as a new cluster has it, without a Role of anybody's own.

Source: Kubernetes v1.36.3 plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (system:public-info-viewer,
system:discovery, system:basic-user); k8s.io/apiserver v0.36.3 pkg/endpoints/request/requestinfo.go (verbs),
pkg/endpoints/handlers/responsewriters/errors.go (the words).
"""

from __future__ import annotations

from collections.abc import Callable

from grader.embedded.core.api.http.messages import ANONYMOUS, NOBODY, Request, User
from grader.embedded.core.api.http.routes import ResourcePath, target_of
from grader.embedded.core.api.http.status import ApiError, forbidden

PUBLIC = frozenset(("/healthz", "/livez", "/readyz", "/version", "/version/"))
DISCOVERY = frozenset(("/api", "/apis", "/openapi"))
OWN_REVIEWS = frozenset(
    (
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    )
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


def bearer(authorization: str, owner: Callable[[str], User | None]) -> User:
    """Whom an Authorization header names (k8s.io/apiserver pkg/authentication/request/bearertoken/bearertoken.go).

    Args:
        authorization: the header, "" where there is none.
        owner: whose a token is, None for nobody's.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ANONYMOUS
    return owner(token.strip()) or NOBODY


def check(request: Request) -> None:
    """Whether the user of a request, who is not the administrator, may make it. Raises ApiError (401, 403)."""
    user, path = request.user, request.path
    if user is NOBODY:
        raise ApiError(401, "Unauthorized", "Unauthorized")
    if not _is_resource(path):
        if not _may_read(path, request.method, anonymous=user == ANONYMOUS):
            why = f'forbidden: User "{user.name}" cannot {request.method.lower()} path "{path}"'
            raise ApiError(403, "Forbidden", why, {})
        return
    target = target_of(path.rstrip("/"))
    verb = _verb(request, target)
    if user != ANONYMOUS and verb == "create" and (target.group, target.plural) in OWN_REVIEWS:
        return
    raise forbidden(target.plural, target.group, target.name, _why(user.name, verb, target))


def _is_resource(path: str) -> bool:
    parts = path.strip("/").split("/")
    return (parts[0] == "api" and len(parts) >= 3) or (parts[0] == "apis" and len(parts) >= 4)


def _may_read(path: str, method: str, *, anonymous: bool) -> bool:
    if method != "GET":
        return False
    return path in PUBLIC or (not anonymous and f"/{path.split('/')[1]}" in DISCOVERY)


def _verb(request: Request, target: ResourcePath) -> str:
    verb = _VERBS.get(request.method, "")
    if target.watch or (verb == "get" and request.flag("watch")):
        return "watch"
    if not target.name:
        return {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return verb


def _why(user: str, verb: str, target: ResourcePath) -> str:
    resource = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    namespace = target.namespace or (target.name if target.plural == "namespaces" else "")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return f'User "{user}" cannot {verb} resource "{resource}" in API group "{target.group}" {where}'
