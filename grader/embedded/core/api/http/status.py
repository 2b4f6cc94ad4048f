"""Refusals of the API server as metav1.Status, worded as k8s.io/apimachinery/pkg/api/errors/errors.go (1.36)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.embedded.core.api.http.field import FieldError


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def qualified(name: str, group: str) -> str:
    """A resource or kind with its group, as messages show it: `deployments.apps`, `services`."""
    return f"{name}.{group}" if group else name


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: HTTP status.
        reason: metav1.StatusReason.
        details: metav1.StatusDetails.
    """

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details) if details is not None else None

    def status(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = {key: value for key, value in self.details.items() if value not in ("", None)}
        body["code"] = self.code
        return body


def _details(group: str, kind: str, name: str, causes: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name, "group": group, "kind": kind}
    if causes:
        details["causes"] = [{key: value for key, value in cause.items() if value} for cause in causes]
    return details


def not_found(resource: str, group: str, name: str) -> ApiError:
    """404: no such object."""
    message = f"{qualified(resource, group)} {_quoted(name)} not found"
    return ApiError(404, "NotFound", message, _details(group, resource, name))


def already_exists(resource: str, group: str, name: str, *, deleting: bool = False) -> ApiError:
    """409: the name is taken, maybe by an object that waits for its end (registry/store.go Create)."""
    message = f"{qualified(resource, group)} {_quoted(name)} already exists"
    if deleting:
        message = f"object is being deleted: {message}"
    return ApiError(409, "AlreadyExists", message, _details(group, resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, group: str, name: str, why: str = MODIFIED) -> ApiError:
    """409: the object is not what the writer believes."""
    message = f"Operation cannot be fulfilled on {qualified(resource, group)} {_quoted(name)}: {why}"
    return ApiError(409, "Conflict", message, _details(group, resource, name))


def apply_conflict(causes: Sequence[Mapping[str, str]], message: str) -> ApiError:
    """409: fields are owned by other managers (server-side apply)."""
    return ApiError(409, "Conflict", message, {"causes": [dict(cause) for cause in causes]})


def forbidden(resource: str, group: str, name: str, why: str) -> ApiError:
    """403: admission or authorization says no."""
    subject = qualified(resource, group) + (f" {_quoted(name)}" if name else "")
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _details(group, resource, name))


def invalid(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422: validation; every field error becomes a cause, equal messages are told once."""
    causes = [{"reason": error.reason, "message": error.message, "field": error.field} for error in errors]
    texts = list(dict.fromkeys(str(error) for error in errors))
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f"{qualified(kind, group)} {_quoted(name)} is invalid" + (f": {told}" if texts else "")
    return ApiError(422, "Invalid", message, _details(group, kind, name, causes))


def bad_request(message: str) -> ApiError:
    """400: not a request that can be read."""
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    """410: a resourceVersion or continue token that is too old."""
    return ApiError(410, "Expired", message)


def internal_error(message: str) -> ApiError:
    """500: what upstream calls an internal error although the writer can cause it."""
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details)


def unexpected(message: str) -> ApiError:
    """500: a plain Go error that upstream lets through."""
    return ApiError(500, "", message)


def method_not_allowed() -> ApiError:
    """405: the verb is not served there."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unknown_path() -> ApiError:
    """404: there is no such endpoint."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})
