"""Ask the embedded API server what a real one was asked, and tell where the answers differ."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from grader.embedded.core.api.http.messages import Request, Response
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.store import Store
from grader.embedded.core.support.telling import PREFIX
from tests.embedded.core.api import parity_cases, parity_shape


def cluster() -> ApiServer:
    """A server with what a real cluster holds already."""
    store = Store(lambda: 1_790_000_000)
    for name in ("default", parity_cases.NAMESPACE):
        store.create(
            "namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}},
        )
    store.create(
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default"},
            "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"]},
        },
    )
    return ApiServer(store)


def ask(server: ApiServer, step: parity_cases.Step) -> tuple[int, Any, list[str]]:
    method, path, body, content_type = parity_shape.http(step)
    path, _, query = path.partition("?")
    headers = {"content-type": content_type, "accept": "application/json", "user-agent": "parity"}
    data = b"" if body is None else json.dumps(body).encode()
    answer = server.handle(Request(method, path, parse_qsl(query, keep_blank_values=True), headers, data))
    assert isinstance(answer, Response)
    warnings = [value for name, value in answer.headers if name == "warning" and PREFIX not in value]
    return answer.status, json.loads(answer.body), warnings


def differences(real: Any, ours: Any, path: str = "") -> list[str]:
    if isinstance(real, dict) and isinstance(ours, dict):
        keys = sorted({*real, *ours})
        return [line for key in keys for line in differences(real.get(key), ours.get(key), f"{path}.{key}")]
    if isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        return [
            line for index in range(len(real)) for line in differences(real[index], ours[index], f"{path}[{index}]")
        ]
    return [] if real == ours else [f"{path}\n  real: {json.dumps(real)}\n  ours: {json.dumps(ours)}"]
