"""The API server: a request in, an answer out. The one entrance to this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.embedded.core.api.access import rbac as access
from grader.embedded.core.api.connect.subresources import connect
from grader.embedded.core.api.describe import discovery, openapi, openapi2
from grader.embedded.core.api.http.messages import ADMIN, JSON, Answer, Request, Response, Tree
from grader.embedded.core.api.http.negotiate import Negotiated, encode, negotiate
from grader.embedded.core.api.http.pretty import indented, is_pretty, prettied
from grader.embedded.core.api.http.routes import target_of
from grader.embedded.core.api.http.status import ApiError, bad_request, internal_error, method_not_allowed, unknown_path
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.kinds.registry import BY_PATH
from grader.embedded.core.api.read import componentstatus
from grader.embedded.core.api.read.headers import kind_warnings, warning_headers
from grader.embedded.core.api.read.reads import Reader
from grader.embedded.core.api.schema import types as schema
from grader.embedded.core.api.write.reviews import review
from grader.embedded.core.api.write.writes import Writer
from grader.embedded.core.store import Store

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_HEALTH = ("/healthz", "/livez", "/readyz")
_ROOT_PATHS = ("/api", "/api/v1", "/apis", *_HEALTH, "/openapi/v2", "/openapi/v3", "/version")
_ANY_METHOD = ("/", "/apis", *_HEALTH)  # handlers that look at no method (kube-aggregator, routes/index.go, healthz.go)
_JSON_TYPE = (("content-type", JSON),)
_READ_ONLY = ("get", "list", "watch")
_READ_VERBS = {"GET": "get", "HEAD": "get"}


class ApiServer:
    """Kubernetes' API on a store.

    Attributes:
        store: all objects.
    """

    def __init__(self, store: Store, *, on_error: Callable[[Exception, Request], None] | None = None) -> None:
        """Serve a store; `on_error` is told of every failure of our own (a 500)."""
        self.store = store
        self._on_error = on_error
        self._reader = Reader(store)
        self._writer = Writer(store)

    def handle(self, request: Request) -> Answer:
        """Answer one request; refusals are answers too, nothing is raised."""
        answer = self._answered(request)
        if isinstance(answer, Response) and is_pretty(request) and not request.path.startswith("/openapi"):
            return prettied(answer)
        return answer

    def _answered(self, request: Request) -> Answer:
        negotiated = negotiate(request.headers.get("accept", ""))
        try:
            if request.user is not ADMIN:
                access.check(request)
            return self._route(request, negotiated)
        except ApiError as error:
            return refusal(error)
        except RecursionError:  # what is nested in a text: a continue token, managed fields
            return refusal(bad_request("exceeded max depth"))
        except Exception as error:
            if self._on_error is None:
                raise
            self._on_error(error, request)
            return refusal(internal_error(f"{type(error).__name__}: {error}"))

    def warm(self) -> None:
        """Read the schema before the first request needs it (10 ms)."""
        schema.definitions()

    def _route(self, request: Request, negotiated: Negotiated) -> Answer:
        path = request.path.rstrip("/") or "/"
        document = self._document(path, request, negotiated)
        if document is not None:
            if request.method not in _READ_VERBS and path not in _ANY_METHOD:
                raise method_not_allowed()
            return document
        if not _is_routed(path):
            return Response(404, (("content-type", "text/plain; charset=utf-8"),), b"404 page not found\n")
        target = target_of(path)
        resource = BY_PATH.get((target.group, target.version, target.plural))
        if resource is None:
            raise unknown_path()
        if target.subresource and target.subresource not in dict(resource.subresources):
            raise unknown_path()
        if target.namespace and not resource.namespaced:
            raise unknown_path()
        try:
            return self._serve(Call(request, negotiated, target, resource))
        except ApiError as error:
            return refusal(error, warning_headers(kind_warnings(resource)))

    def _serve(self, call: Call) -> Answer:
        request, resource = call.request, call.resource
        if resource.verbs == ("create",) and request.method == "POST":
            return review(call, self._writer)
        if resource.plural == "componentstatuses":
            return componentstatus.read(call)
        if request.method not in _READ_VERBS and resource.verbs == _READ_ONLY:
            raise method_not_allowed()
        connection = connect(call, self.store)
        if connection is not None:
            return connection
        match request.method:
            case "GET" | "HEAD":
                return self._reader.read(call)
            case "POST":
                return self._writer.create(call)
            case "PUT":
                return self._writer.replace(call)
            case "PATCH":
                return self._writer.patch(call)
            case "DELETE" if call.target.name:
                return self._writer.delete(call)
            case "DELETE":
                return self._writer.delete_collection(call)
        raise method_not_allowed()

    def _document(self, path: str, request: Request, negotiated: Negotiated) -> Response | None:
        """Answers that depend on no object: health, version, discovery, OpenAPI."""
        if path in _HEALTH or path.startswith(tuple(f"{health}/" for health in _HEALTH)):
            return Response(200, (("content-type", "text/plain; charset=utf-8"),), b"ok")
        if path == "/version":
            return Response(200, _JSON_TYPE, indented(discovery.VERSION))
        if path == "/":
            return Response(200, _JSON_TYPE, indented({"paths": list(_ROOT_PATHS)}))
        if path in ("/api", "/apis"):
            for version in ("v2", "v2beta1"):
                if version in negotiated.discovery:
                    return _json(discovery.aggregated(path == "/api", version), _AGGREGATED.format(version))
            return _json(discovery.versions() if path == "/api" else discovery.group_list())
        parts = path.strip("/").split("/")
        if parts[0] == "api" and len(parts) == 2:
            return _json(_known(discovery.resource_list("", parts[1])))
        if parts[0] == "apis" and len(parts) == 2:
            if parts[1] not in discovery.groups():
                return None
            return _json(discovery.group(parts[1]))
        if parts[0] == "apis" and len(parts) == 3:
            if parts[1] not in discovery.groups():
                return None
            return _json(_known(discovery.resource_list(parts[1], parts[2])))
        if path == "/openapi/v2":
            if any(media in request.headers.get("accept", "") for media in openapi2.ASKED):
                return Response(200, (("content-type", openapi2.PROTOBUF),), openapi2.protobuf())
            return _json(openapi2.document())
        if path == "/openapi/v3":
            return _json(openapi.index())
        if path.startswith("/openapi/v3/"):
            found = openapi.document(path.removeprefix("/openapi/v3/"))
            if found is None:
                return Response(404, (), b"")
            return Response(200, _JSON_TYPE, found)
        return None


def _known(listed: Tree) -> Tree:
    if not listed["resources"]:
        raise unknown_path()
    return listed


def _json(content: Any, content_type: str = JSON) -> Response:
    return Response(200, (("content-type", content_type),), encode(content))


def _is_routed(path: str) -> bool:
    """Whether a path is under a group that is served; any other is not told in JSON (net/http's NotFound)."""
    first, _, rest = path[1:].partition("/")
    return first == "api" or (first == "apis" and rest.partition("/")[0] in discovery.groups())


def refusal(error: ApiError, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """The answer that tells an error."""
    return Response(error.code, (("content-type", JSON), *headers), encode(error.status()))


__all__ = ["ApiServer", "refusal"]
