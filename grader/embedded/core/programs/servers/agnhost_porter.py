"""agnhost's `porter`: serves what its environment says, on the ports that its environment names.

Behaviour and texts: k8s.io/kubernetes/test/images/agnhost/porter/porter.go v1.36.3.
"""

from __future__ import annotations

from grader.embedded.core.kernel import Address, Event
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import exists
from grader.embedded.core.programs.host import AddressInUse
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.net.tls import Certificate
from grader.embedded.core.programs.servers.goflags import Flags
from grader.embedded.core.programs.servers.golang import GoError, accept_tls, log, plain, port_number, to_json

_PREFIXES = {
    "SERVE_PORT_": "TCP",
    "SERVE_TCP_PORT_": "TCP",
    "SERVE_UDP_PORT_": "UDP",
    "SERVE_SCTP_PORT_": "SCTP",
    "SERVE_TLS_PORT_": "TLS",
}
_LOCALHOST = Certificate(("127.0.0.1", "::1"), "")
"""The image's localhost.crt: nobody trusts its authority."""


async def porter(context: ProgramContext, args: list[str]) -> int:
    """Serve each `SERVE_[TCP_|UDP_|TLS_]PORT_NUMBER=VALUE` of the environment; SCTP is not emulated, and it says so."""
    flags = Flags({"json-response": False}).parse(args)
    if flags.args:
        raise GoError(f'unknown command "{flags.args[0]}" for "app porter"')
    for name, value in context.env.items():
        for prefix, protocol in _PREFIXES.items():
            if name.startswith(prefix):
                _serve(context, protocol, name.removeprefix(prefix), value, in_json=flags.on("json-response"))
    await Event().wait()
    return 0


def _serve(context: ProgramContext, protocol: str, port: str, value: str, *, in_json: bool) -> None:
    if protocol == "UDP":
        _serve_udp(context, port, value)
    elif protocol == "SCTP":
        log(context, f"Failed to listen SCTP. error: not emulated (port {port})")
    elif protocol == "TLS":
        _serve_tls(context, port, value, in_json=in_json)
    else:
        _serve_tcp(context, port, value, f'server on port "{port}" failed', in_json=in_json)


def _serve_tls(context: ProgramContext, port: str, value: str, *, in_json: bool) -> None:
    files = [context.env.get(f"{what}_FILE") or f"localhost.{end}" for what, end in (("CERT", "crt"), ("KEY", "key"))]
    failed = f'tls server on port "{port}" with certFile="{files[0]}", keyFile="{files[1]}" failed'
    for file in files:
        if not file.startswith("localhost."):
            there = exists(context, context.path(file))
            log(context, f"{failed}: open {file}: {'not emulated' if there else 'no such file or directory'}")
            return
    _serve_tcp(context, port, value, failed, in_json=in_json, certificate=_LOCALHOST)


def _serve_tcp(
    context: ProgramContext,
    port: str,
    value: str,
    failed: str,
    *,
    in_json: bool,
    certificate: Certificate | None = None,
) -> None:
    async def respond(request: Request) -> Response:
        if not in_json:
            return plain(context, value)
        body = f'{{"Method":{to_json(request.method)},"Body":{to_json(value)}}}'.encode()
        dated = ("Date", http.date(context.host.kernel.now()))
        return Response(200, body, [("Content-Type", "application/json"), dated])

    accept = None if certificate is None else lambda stream: accept_tls(stream, certificate)
    try:
        context.process.serve(context.host.listen, port_number(port), http.server(context.process, respond, accept))
    except (AddressInUse, GoError) as error:
        bind = "bind: " if isinstance(error, AddressInUse) else ""
        log(context, f"{failed}: listen tcp 0.0.0.0:{port}: {bind}{error}")


def _serve_udp(context: ProgramContext, port: str, value: str) -> None:
    def answer(data: bytes, peer: Address) -> bytes:
        return value.encode()

    try:
        context.process.at_exit(context.host.listen_udp(port_number(port, "udp"), answer))
    except (AddressInUse, GoError) as error:
        log(context, f"UDP: failed to listen on port {port}: {error}")
        context.process.exit(1)
    else:
        log(context, f"Started UDP server on port {port}")
