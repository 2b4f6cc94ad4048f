"""A client of the sans-IO API server, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from grader.embedded.core.api.http.messages import Answer, Connect, Request, Response, Watch
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.store import Store

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
Tree = dict[str, Any]
Query = Sequence[tuple[str, str]]
NOON = 1_790_000_000.0


class Api:
    """An API server with the Namespace `default`, on a clock that stands still.

    Attributes:
        time: seconds since the epoch.
    """

    def __init__(self) -> None:
        self.time = NOON
        self.store = Store(lambda: self.time)
        self.server = ApiServer(self.store)
        self.create("/api/v1/namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "default"}})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query = (),
        kind: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": kind, "accept": accept, "user-agent": "kubectl/v1.37.1 (linux/amd64)"}
        return self.server.handle(Request(method, path, list(query), headers, data))

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and decoded body."""
        answer = self.ask(method, path, body, **options)
        assert isinstance(answer, Response)
        return answer.status, json.loads(answer.body)

    def get(self, path: str, **options: Any) -> Any:
        code, body = self.call("GET", path, **options)
        assert code == 200, body
        return body

    def create(self, path: str, obj: Tree, **options: Any) -> Any:
        code, body = self.call("POST", path, obj, **options)
        assert code == 201, body
        return body

    def patch(self, path: str, body: Any, kind: str = "strategic-merge-patch+json", **options: Any) -> Any:
        code, answer = self.call("PATCH", path, body, kind=f"application/{kind}", **options)
        assert code in (200, 201), answer
        return answer

    def watch(self, path: str, **options: Any) -> Events:
        query = [("watch", "1"), *options.pop("query", ())]
        answer = self.ask("GET", path, query=query, **options)
        assert isinstance(answer, Watch)
        return Events(answer)

    def connect(self, path: str, method: str = "GET", query: Query = ()) -> Connect:
        answer = self.ask(method, path, query=query)
        assert isinstance(answer, Connect)
        return answer


class Events:
    """What a watch has sent so far."""

    def __init__(self, watch: Watch) -> None:
        self._sent: list[Tree] = []
        self.watch = watch
        self.ended = False
        self.stop = watch.start(lambda event: self._sent.append(json.loads(event)), self._end)

    def _end(self) -> None:
        self.ended = True

    def take(self) -> list[Tree]:
        """The events since the last call."""
        taken, self._sent[:] = list(self._sent), []
        return taken

    def told(self) -> list[tuple[str, str]]:
        """The events since the last call, as type and object name."""
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in self.take()]


def service(name: str = "web", **spec: Any) -> Tree:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pod(name: str = "p", **spec: Any) -> Tree:
    spec = {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def deployment(name: str = "d", replicas: int = 1) -> Tree:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


SERVICES = "/api/v1/namespaces/default/services"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
