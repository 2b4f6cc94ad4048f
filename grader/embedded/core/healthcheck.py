"""What a node answers on a Service's healthCheckNodePort (pkg/proxy/healthcheck/service_health.go)."""

from __future__ import annotations

import json

from grader.embedded.core.kernel import Stream
from grader.embedded.core.objects import Key
from grader.embedded.core.programs.net.http import date


async def answer(stream: Stream, service: Key, count: int, now: float) -> None:
    """Read a request and tell how many endpoints of the Service are on the node.

    Args:
        stream: the connection; it is closed.
        service: namespace and name.
        count: local ready endpoints.
        now: seconds since the epoch.

    """
    received = b""
    while b"\r\n\r\n" not in received:
        data = await stream.recv()
        if not data:
            stream.close()
            return
        received += data
    namespace, name = service
    body = (
        f'{{\n\t"service": {{\n\t\t"namespace": {json.dumps(namespace)},\n\t\t"name": {json.dumps(name)}\n\t}},'
        f'\n\t"localEndpoints": {count},\n\t"serviceProxyHealthy": true\n}}'
    ).encode()
    status = "200 OK" if count else "503 Service Unavailable"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Load-Balancing-Endpoint-Weight: {count}\r\nDate: {date(now)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    stream.send(head + body)
    stream.close()
