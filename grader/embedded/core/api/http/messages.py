"""What goes into the API server and what comes out: plain values, no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JSON = "application/json"


@dataclass(frozen=True)
class User:
    """Who asks (k8s.io/apiserver pkg/authentication/user).

    Attributes:
        name: as RBAC knows it.
        groups: those it is in.
        uid: of the ServiceAccount, "" for others.
        extra: what else its credential says.
    """

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


ADMIN = User("kubernetes-admin", ("kubeadm:cluster-admins", "system:authenticated"))
NOBODY = User("")
"""Whoever shows a credential that is no good."""
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes:
        method: GET, POST, …
        path: decoded path without the query.
        query: decoded parameters in the order sent.
        headers: by lower-case name.
        body: as sent.
        user: who asks; the administrator where nobody had to say.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: User = ADMIN

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def flag(self, name: str) -> bool:
        """Whether a boolean query parameter is on (`watch`, `watch=1`, `watch=true`)."""
        return any(key == name and value.lower() in ("", "1", "true", "t") for key, value in self.query)


@dataclass(frozen=True)
class Response:
    """One complete HTTP answer.

    Attributes:
        status: HTTP status code.
        headers: to send; `Warning` may hold several values, so headers are pairs.
        body: complete.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Watch:
    """A stream of watch events, one JSON document a line.

    Attributes:
        headers: of the answer, whose status is 200.
        start: begins the stream: calls back with each encoded event, at once for those already due, then after each
            write to the store; returns the function that ends it. The second argument is called when the server ends
            the stream (after an error event).
        bookmark: an encoded BOOKMARK event of now, for a stream that has been silent; None where none was asked for.
        timeout: seconds after which the server ends the stream, as the client asked; None: the server's choice.
    """

    headers: tuple[tuple[str, str], ...]
    start: Callable[[Callable[[bytes], None], Callable[[], None]], Callable[[], None]]
    bookmark: Callable[[], bytes | None]
    timeout: float | None


@dataclass(frozen=True)
class Connect:
    """A request that is a connection to a Pod, Service or Node; the outer layer carries it out.

    Attributes:
        kind: which subresource.
        resource: plural resource of the target (`pods`, `services`).
        namespace: of the target.
        name: of the target; for proxy without scheme and port.
        query: the request's query parameters (container, command, stdin, tty, follow, ports, …).
        method: HTTP method of the request.
        port: proxy only: port number or name as written, "" where none was.
        scheme: proxy only: "http" or "https".
        path: proxy only: path behind `/proxy`, with its leading slash.
        container: exec, attach and log: the container, as kube-apiserver chooses it when the request names none.
    """

    kind: Literal["exec", "attach", "log", "portforward", "proxy"]
    resource: str
    namespace: str
    name: str
    query: tuple[tuple[str, str], ...]
    method: str = "GET"
    port: str = ""
    scheme: str = "http"
    path: str = "/"
    container: str = ""


Answer = Response | Watch | Connect

Tree = dict[str, Any]
