"""What curl makes of a server's certificate, in OpenSSL's words (lib/vtls/openssl.c, src/tool_operate.c)."""

from __future__ import annotations

from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import read_file
from grader.embedded.core.programs.net import tls
from grader.embedded.core.programs.net.curl_options import Failed, Options

_DETAILS = (
    "More details here: https://curl.se/docs/sslcerts.html\n\n"
    "curl failed to verify the legitimacy of the server and therefore could not\n"
    "establish a secure connection to it. To learn more about this situation and\n"
    "how to fix it, please visit the webpage mentioned above."
)


async def secure(context: ProgramContext, options: Options, stream: Stream, name: str) -> None:
    """Find out who is at the other end. Raises Failed (35, 60, 77)."""
    file = options.values.get("cacert", "")
    bundle = read_file(context, context.path(file)) if file else b""
    if bundle is None:
        raise Failed(77, f"error adding trust anchors from file: {file}")
    try:
        certificate = await tls.connect(stream, name)
    except tls.NotTls:
        raise Failed(35, "TLS connect error: error:0A00010B:SSL routines::wrong version number") from None
    except ConnectionReset_:
        raise Failed(35, "Recv failure: Connection reset by peer") from None
    if "insecure" in options.on:
        return
    if not certificate.trusted_by(bundle.decode(errors="replace")):
        raise Failed(60, f"SSL certificate problem: unable to get local issuer certificate\n{_DETAILS}")
    if name not in certificate.names:
        why = f"SSL: no alternative certificate subject name matches target host name '{name}'"
        raise Failed(60, f"{why}\n{_DETAILS}")
