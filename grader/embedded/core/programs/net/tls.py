"""TLS as the emulated programs speak it: who is who, and nothing is encrypted, for nobody is there to overhear.

Both ends say hello in one record each (RFC 8446 §5.1: type 22, version, length): the client the name it is looking for,
the server its certificate, here as JSON. After that the bytes of the protocol above follow as they are. A real TLS
client or server cannot talk to one of these; inside of the emulated network there is none.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

from grader.embedded.core.kernel import Stream

_HANDSHAKE = b"\x16\x03\x01"


class NotTls(Exception):
    """The other end speaks something else."""


@dataclass(frozen=True)
class Certificate:
    """What a server shows of itself.

    Attributes:
        names: DNS names and addresses it is good for.
        authority: who signed it, in PEM: whoever trusts that text trusts the server.
    """

    names: tuple[str, ...]
    authority: str

    def trusted_by(self, bundle: str) -> bool:
        """Whether a file of authorities in PEM holds this one's."""
        return bool(self.authority.strip()) and self.authority.strip() in bundle


def _record(tree: object) -> bytes:
    data = json.dumps(tree).encode()
    return _HANDSHAKE + struct.pack("!H", len(data)) + data


def hello_of(data: bytes) -> tuple[object, bytes] | None:
    """What a hello says, and what follows it; None for what is no hello."""
    if not data.startswith(_HANDSHAKE) or len(data) < 5:
        return None
    end = 5 + struct.unpack("!H", data[3:5])[0]
    try:
        return json.loads(data[5:end]), data[end:]
    except (ValueError, RecursionError):
        return None


async def connect(stream: Stream, name: str) -> Certificate:
    """Say hello to a server. Raises NotTls, ConnectionReset_."""
    stream.send(_record({"name": name}))
    said = hello_of(await stream.recv())
    if said is None or not isinstance(said[0], dict) or said[1]:
        raise NotTls
    return Certificate(tuple(said[0]["names"]), said[0]["authority"])


async def accept(stream: Stream, certificate: Certificate) -> bytes | None:
    """Answer a client's hello: None; or what came where it was no hello. Raises ConnectionReset_."""
    data = await stream.recv()
    if hello_of(data) is None:
        return data
    stream.send(_record({"names": list(certificate.names), "authority": certificate.authority}))
    return None
