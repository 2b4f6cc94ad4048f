"""A client for one API server that speaks raw JSON, without models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlencode

from grader.errors import ClusterUnreachable, CourseError, EnvironmentError_
from grader.kube.clock import WALL, Clock
from grader.kube.connection import read
from grader.kube.resources import Resource, by_plural, discovered, known
from grader.kube.transport import Carrying, Transport

Object = dict[str, Any]
FIELD_MANAGER = "grader"
_GROUP_VERSION = re.compile(r"([a-z0-9][-a-z0-9.]*/)?[a-z0-9][-a-z0-9]*")
"""What can be a part of a path; a server has no other (k8s.io/apimachinery/pkg/runtime/schema)."""


class ApiRefused(CourseError):
    """The API server answered, and refused: HTTP 4xx.

    Attributes:
        status: the `Status` object of the answer (k8s.io/apimachinery/pkg/apis/meta/v1/types.go); its
            `details.causes[]` carry `field`, `reason` and `message`.
        http_status: the HTTP status.
        reason: machine-readable reason, "Invalid", "NotFound", "Conflict", "AlreadyExists", "Forbidden"...
        message: the server's own words, English.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, status: Mapping[str, Any], http_status: int) -> None:
        self.status: Object = dict(status)
        self.http_status = http_status
        self.reason = str(status.get("reason") or "")
        self.message = str(status.get("message") or "")
        super().__init__("api-refused", http_status=http_status, reason=self.reason, message=self.message)

    @property
    def causes(self) -> tuple[Object, ...]:
        """The single faults that make up a refusal, in the server's order; empty where it names none."""
        return tuple((self.status.get("details") or {}).get("causes") or ())


class ProbeUnreachable(EnvironmentError_):
    """The Pod behind the API server's Pod proxy did not take the command; never the learner's fault."""


class KubeApi:
    """One API server. Safe to use from several threads."""

    def __init__(
        self,
        kubeconfig: Path | Carrying,
        *,
        context: str | None = None,
        timeout: float = 10.0,
        clock: Clock = WALL,
    ) -> None:
        """Read the kubeconfig; nothing is sent yet.

        Args:
            kubeconfig: the file; the environment's KUBECONFIG is not looked at. Or what carries requests to the server.
            context: a context in it, None for its current one.
            timeout: seconds that an answer may take.
            clock: by which those who use this client wait and tell the time.

        Raises ClusterUnreachable where the file cannot be used.
        """
        self._transport = Transport(read(kubeconfig, context)) if isinstance(kubeconfig, Path) else kubeconfig
        self.connection = self._transport.connection
        self.timeout = timeout
        self.clock = clock
        self._discovered: dict[tuple[str, str], Resource] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections. The client can be used again."""
        self._transport.close()

    # -- reading ----------------------------------------------------------------------------------------------------

    def raw_get(self, path: str, query: Mapping[str, str] | None = None, timeout: float | None = None) -> bytes:
        """GET any path and return the body.

        Raises ApiRefused on 4xx, ClusterUnreachable where there is no answer or the server fails (5xx).
        """
        return self._judged(*self.request("GET", path, query, timeout=timeout))

    def get(self, path: str, query: Mapping[str, str] | None = None, timeout: float | None = None) -> Object:
        """GET any path that answers a JSON object. Raises as `raw_get`."""
        return self._parsed(self.raw_get(path, query, timeout))

    def list(self, plural: str, namespace: str | None = None, *, labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a resource, each with its apiVersion and kind, which a list leaves out.

        Args:
            plural: a resource of `grader.kube.resources.KNOWN`, "endpointslices".
            namespace: one Namespace, None for all.
            labels: label selector, "app=backend".
            fields: field selector, "status.phase=Running".
        """
        resource = by_plural(plural)
        query = {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
        items = self.get(resource.path(namespace), query).get("items") or []
        return [{"apiVersion": resource.group_version, "kind": resource.kind, **item} for item in items]

    def read(self, plural: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, None where it does not exist. Raises as `raw_get`, but for NotFound."""
        try:
            return self.get(by_plural(plural).path(namespace, name))
        except ApiRefused as refusal:
            if refusal.http_status == 404:
                return None
            raise

    def host_ports(self, path: str) -> dict[int, str]:
        """Ask an embedded cluster at which address of this machine each node port is reached. Raises as `raw_get`."""
        return {int(port): str(address) for port, address in self.get(path).items() if port.isdigit()}

    def version(self, timeout: float | None = None) -> str:
        """Version of the API server, "v1.36.3"."""
        return str(self.get("/version", timeout=timeout).get("gitVersion") or "")

    def pod_get(
        self,
        namespace: str,
        pod: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        port: int = 8080,
        timeout: float | None = None,
    ) -> bytes:
        """GET from an HTTP server in a Pod through the API server's Pod proxy: it carries commands, never evidence.

        Raises ProbeUnreachable ("probe-unreachable") where the Pod does not answer with 200, ClusterUnreachable where
        the API server does not answer.
        """
        target = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}:{port}/proxy/{path.lstrip('/')}"
        http_status, body = self.request("GET", target, query, timeout=timeout)
        if http_status == 401:
            self._judged(http_status, body)
        if http_status != 200:
            reason = body.decode(errors="replace")
            try:
                reason = json.loads(reason).get("message") or reason
            except (ValueError, AttributeError):
                pass  # a plain text answer is its own reason
            raise ProbeUnreachable(
                "probe-unreachable", namespace=namespace, pod=pod, http_status=http_status, reason=reason.strip()
            )
        return body

    # -- changing ---------------------------------------------------------------------------------------------------

    def create(self, obj: Mapping[str, Any], *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """Create an object; `namespace` is used where it names none. Raises as `raw_get`."""
        resource = self.resource_of(obj)
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        path = resource.path(_namespace_of(obj, resource, namespace))
        return self._parsed(self._judged(*self.request("POST", path, query, body=obj)))

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        namespace: str | None = None,
        dry_run: bool = False,
        field_manager: str = FIELD_MANAGER,
        force: bool = True,
    ) -> Object:
        """Server-side apply of an object, the server checking every field. Raises as `raw_get`.

        Args:
            obj: a manifest.
            namespace: used where the manifest names none.
            dry_run: the server does everything but keep it.
            field_manager: in whose name.
            force: take over fields that another manager owns.
        """
        resource = self.resource_of(obj)
        query = {
            "fieldManager": field_manager,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
            **({"dryRun": "All"} if dry_run else {}),
        }
        path = resource.path(_namespace_of(obj, resource, namespace), obj["metadata"]["name"])
        kind = "application/apply-patch+yaml"
        return self._parsed(self._judged(*self.request("PATCH", path, query, body=obj, content_type=kind)))

    def patch(self, path: str, patch: Mapping[str, Any]) -> Object | None:
        """Change an object by a JSON merge patch (RFC 7396); None where it does not exist. Raises as `raw_get`."""
        kind = "application/merge-patch+json"
        try:
            return self._parsed(self._judged(*self.request("PATCH", path, body=patch, content_type=kind)))
        except ApiRefused as refusal:
            if refusal.http_status == 404:
                return None
            raise

    def delete(
        self, plural: str, name: str, namespace: str | None = None, *, grace_seconds: int | None = None
    ) -> Object | None:
        """Delete an object in the background; None where it does not exist. Raises as `raw_get`, but for NotFound."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        path = by_plural(plural).path(namespace, name)
        try:
            return self._parsed(self._judged(*self.request("DELETE", path, body=options)))
        except ApiRefused as refusal:
            if refusal.http_status == 404:
                return None
            raise

    def put(self, path: str, obj: Mapping[str, Any]) -> Object:
        """Write an object back as a whole, the server checking every field. Raises as `raw_get`."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return self._parsed(self._judged(*self.request("PUT", path, query, body=obj)))

    def remove(self, path: str) -> None:
        """Delete what is at a path, if anything is. Raises as `raw_get`, but for NotFound."""
        http_status, body = self.request("DELETE", path)
        if http_status != 404:
            self._judged(http_status, body)

    def resource_of(self, obj: Mapping[str, Any]) -> Resource:
        """The resource that an object belongs to; the server is asked where the course does not know it.

        Raises ApiRefused ("NotFound") where the server has no such kind.
        """
        group_version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
        found = known(group_version, kind) or self._discovered.get((group_version, kind))
        if found is None:
            root = "/apis/" if "/" in group_version else "/api/"
            if _GROUP_VERSION.fullmatch(group_version):
                found = discovered(self.get(f"{root}{group_version}"), kind)
            if found is None:
                message = f'no matches for kind "{kind}" in version "{group_version}"'
                raise ApiRefused({"reason": "NotFound", "message": message}, 404)
            self._discovered[group_version, kind] = found
        return found

    # -- one request ------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        """Send one request and return HTTP status and body, whatever they are.

        Raises ClusterUnreachable ("api-unreachable", "api-timeout", "api-untrusted").
        """
        target = self.connection.base_path + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        headers = self.connection.headers
        payload = None if body is None else json.dumps(body).encode()
        if payload is not None:
            headers["Content-Type"] = content_type
        return self._transport.request(method, target, headers, payload, self.timeout if timeout is None else timeout)

    def _judged(self, http_status: int, body: bytes) -> bytes:
        """The body of a success. Raises ApiRefused on 4xx, ClusterUnreachable on 401 and 5xx."""
        if http_status < 400:
            return body
        try:
            status = json.loads(body)
        except ValueError:
            status = None
        if not isinstance(status, dict):
            status = {"message": body.decode(errors="replace").strip()}
        reason = status.get("message") or ""
        if http_status == 401:
            raise ClusterUnreachable("api-unauthorized", server=self.connection.server, reason=reason)
        if http_status >= 500 or http_status == 429:
            raise ClusterUnreachable(
                "api-failing", server=self.connection.server, http_status=http_status, reason=reason
            )
        raise ApiRefused(status, http_status)

    def _parsed(self, body: bytes) -> Object:
        try:
            parsed = json.loads(body)
        except ValueError as error:
            raise ClusterUnreachable("api-not-kubernetes", server=self.connection.server) from error
        if not isinstance(parsed, dict):
            raise ClusterUnreachable("api-not-kubernetes", server=self.connection.server)
        return parsed


def connected(kubeconfig: Path, api: KubeApi | None = None) -> AbstractContextManager[KubeApi]:
    """Use connections that are open already, which stay open, or open some and close them afterwards."""
    return KubeApi(kubeconfig) if api is None else nullcontext(api)


def _namespace_of(obj: Mapping[str, Any], resource: Resource, default: str | None) -> str | None:
    if not resource.namespaced:
        return None
    return (obj.get("metadata") or {}).get("namespace") or default or "default"
