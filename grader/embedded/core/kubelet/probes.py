"""One probe of a container: a real request through the virtual network, from the node.

Source: k8s.io/kubernetes/pkg/kubelet/prober/prober.go, pkg/probe/{http,tcp,exec}. Texts are those of the Go libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.kernel import ConnectionReset_, Stream, TimeoutError_, with_timeout
from grader.embedded.core.machines import Machine
from grader.embedded.core.network import Network
from grader.embedded.core.programs.host import ConnectionRefused_, NoRoute
from grader.embedded.core.programs.images.running import ProgramNotFound
from grader.embedded.core.programs.process import Process

USER_AGENT = "kube-probe/1.36"
BODY_LIMIT = 10 * 1024  # bytes (pkg/probe/http/http.go maxRespBodyLength, exec/exec.go maxReadLength)
HTTP_TO_HTTPS = "http: server gave HTTP response to HTTPS client"

RunExec = Callable[[list[str]], Process]


@dataclass(frozen=True)
class Result:
    """What a probe found.

    Attributes:
        ok: whether it succeeded.
        text: why not, as the event tells it.
        answered: whether there was an answer by HTTP, whatever its status.

    """

    ok: bool
    text: str = ""
    answered: bool = False


def port_number(container: dict[str, Any], port: int | str) -> int | None:
    """A port that is given as a number or as the name of one of the container's ports."""
    if isinstance(port, int):
        return port
    for item in container.get("ports") or ():
        if item.get("name") == port:
            return int(item["containerPort"])
    return int(port) if port.isdigit() else None


async def probe(
    network: Network,
    node: Machine,
    ip: str,
    container: dict[str, Any],
    spec: dict[str, Any],
    run: RunExec,
    agent: str = USER_AGENT,
) -> Result:
    """Probe a container once.

    Args:
        network: the virtual network.
        node: where the kubelet runs.
        ip: the Pod's address.
        container: the container's spec.
        spec: the probe's spec.
        run: starts a command in the container.
        agent: who asks by HTTP.

    """
    seconds = float(spec.get("timeoutSeconds") or 1)
    if http := spec.get("httpGet"):
        port = port_number(container, http["port"])
        if port is None:
            return Result(False, f"couldn't find port: {http['port']}")
        return await _http(network, node, http.get("host") or ip, port, http, seconds, agent)
    if tcp := spec.get("tcpSocket"):
        port = port_number(container, tcp["port"])
        if port is None:
            return Result(False, f"couldn't find port: {tcp['port']}")
        return await _tcp(network, node, tcp.get("host") or ip, port, seconds)
    if command := spec.get("exec"):
        return await _exec(command.get("command") or [], seconds, run)
    if grpc := spec.get("grpc"):
        return await _grpc(network, node, ip, int(grpc["port"]), seconds)
    return Result(True)


async def _tcp(network: Network, node: Machine, ip: str, port: int, seconds: float) -> Result:
    """pkg/probe/tcp/tcp.go."""
    try:
        stream = await with_timeout(seconds, network.connect(node, ip, port))
    except (ConnectionRefused_, NoRoute) as failure:
        return Result(False, f"dial tcp {ip}:{port}: connect: {failure}")
    except TimeoutError_:
        return Result(False, f"dial tcp {ip}:{port}: i/o timeout")
    stream.close()
    return Result(True)


async def _grpc(network: Network, node: Machine, ip: str, port: int, seconds: float) -> Result:
    """pkg/probe/grpc/grpc.go: no image here speaks gRPC, so a server that listens is one that does not answer in it."""
    listens = await _tcp(network, node, ip, port, seconds)
    why = "connection reset by server" if listens.ok else listens.text
    return Result(False, f'timeout: failed to connect service "{ip}:{port}" within {seconds:g}s: {why}')


async def _http(
    network: Network, node: Machine, ip: str, port: int, action: dict[str, Any], seconds: float, agent: str
) -> Result:
    """pkg/probe/http/http.go DoHTTPProbe."""
    path = action.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    scheme = (action.get("scheme") or "HTTP").lower()
    url = f"{scheme}://{ip}:{port}{path}"
    lines = [f"GET {path} HTTP/1.1"]
    named = {header["name"].lower(): header["value"] for header in action.get("httpHeaders") or ()}
    lines.append(f"Host: {named.get('host', f'{ip}:{port}')}")
    lines.append(f"User-Agent: {named.get('user-agent', agent)}")
    lines.append(f"Accept: {named.get('accept', '*/*')}")
    lines += [
        f"{header['name']}: {header['value']}"
        for header in action.get("httpHeaders") or ()
        if header["name"].lower() not in ("host", "user-agent", "accept")
    ]
    lines.append("Connection: close")
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    try:
        status = await with_timeout(seconds, _request(network, node, ip, port, request, tls=scheme == "https"))
    except (ConnectionRefused_, NoRoute) as failure:
        return Result(False, f'Get "{url}": dial tcp {ip}:{port}: connect: {failure}')
    except TimeoutError_:
        return Result(False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    except ConnectionReset_:
        return Result(False, f'Get "{url}": read tcp {node.ip}->{ip}:{port}: read: connection reset by peer')
    except ValueError as failure:
        return Result(False, f'Get "{url}": {failure}')
    if 200 <= status < 400:
        return Result(True, answered=True)
    return Result(False, f"HTTP probe failed with statuscode: {status}", answered=True)


async def _request(network: Network, node: Machine, ip: str, port: int, request: bytes, *, tls: bool) -> int:
    """Send a request and read the status. Raises ValueError where the answer is not HTTP."""
    stream = await network.connect(node, ip, port)
    try:
        if tls:
            raise ValueError(HTTP_TO_HTTPS)
        stream.send(request)
        return _status(await _head(stream))
    finally:
        stream.close()


async def _head(stream: Stream) -> bytes:
    received = b""
    while b"\r\n" not in received and len(received) < BODY_LIMIT:
        data = await stream.recv()
        if not data:
            break
        received += data
    return received


def _status(received: bytes) -> int:
    line = received.split(b"\r\n", 1)[0].decode(errors="replace")
    words = line.split(" ")
    if not received:
        raise ValueError("EOF")
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise ValueError(f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{line}"')
    return int(words[1])


async def _exec(command: list[str], seconds: float, run: RunExec) -> Result:
    """pkg/probe/exec/exec.go: exit status 0 is success, the output is the text."""
    try:
        process = run(command)
    except ProgramNotFound as failure:
        return Result(False, f"OCI runtime exec failed: exec failed: {failure}: unknown")
    output = bytearray()
    process.on_output(lambda _fd, data: output.extend(data))
    try:
        code = await with_timeout(seconds, _wait(process))
    except TimeoutError_:
        process.kill(9)
        return Result(False, f'command timed out: "{" ".join(command)}" timed out after {seconds:g}s')
    return Result(code == 0, bytes(output[:BODY_LIMIT]).decode(errors="replace"))


def _wait(process: Process) -> Coroutine[Any, Any, int]:
    return process.wait()
