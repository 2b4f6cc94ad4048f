"""SPDY/3.1 frames (the public SPDY protocol draft 3.1), as far as kubectl port-forward uses them; sans-IO.

kubectl tunnels SPDY inside of a WebSocket (k8s.io/client-go tools/portforward/tunneling_dialer.go). Its implementation,
github.com/moby/spdystream, does no flow control, so WINDOW_UPDATE is read and ignored here too.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
VERSION = 3
CANCEL = 5

_WORDS = (
    *(
        "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age "
        "allow authorization cache-control connection content-base content-encoding content-language content-length "
        "content-location content-md5 content-range content-type date etag expect expires from host if-match "
        "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
        "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
        "user-agent vary via warning www-authenticate method get status"
    ).split(),
    *("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"),
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


@cache
def dictionary() -> bytes:
    """The zlib dictionary of header blocks (SPDY draft 3.1 §2.6.10.1)."""
    counted = b"".join(struct.pack("!I", len(word)) + word.encode("ascii") for word in _WORDS)
    return counted + _TAIL.encode("ascii")


class SpdyError(Exception):
    """The peer sent something that is no SPDY/3 frame."""


@dataclass(frozen=True)
class ControlFrame:
    """A control frame.

    Attributes:
        type: SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, …
        stream: the stream it is about (for PING: the ping's id), 0 where it is about none.
        fin: whether the sender will send no more on this stream.
        headers: the header block, names in lower case; empty where the type has none.
        status: the status of RST_STREAM.
    """

    type: int
    stream: int
    fin: bool
    headers: Mapping[str, str]
    status: int = 0


@dataclass(frozen=True)
class DataFrame:
    """A data frame.

    Attributes:
        stream: the stream.
        fin: whether the sender will send no more on this stream.
        data: the bytes.
    """

    stream: int
    fin: bool
    data: bytes


Frame = ControlFrame | DataFrame


class Framer:
    """Reads and writes the frames of one connection; header compression keeps state in both directions."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=dictionary())
        self._deflate = zlib.compressobj(level=9, zdict=dictionary())

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take received bytes; the frames that are complete with them. Raises SpdyError."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from("!II", self._buffer)
            size = second & 0xFFFFFF
            if len(self._buffer) < 8 + size:
                return
            payload = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            fin = bool(second >> 24 & FIN)
            if first & 0x80000000:
                if first >> 16 & 0x7FFF != VERSION:
                    raise SpdyError(f"version {first >> 16 & 0x7FFF}")
                yield self._control(first & 0xFFFF, fin, payload)
            else:
                yield DataFrame(first, fin, payload)

    def _control(self, type_: int, fin: bool, payload: bytes) -> ControlFrame:
        try:
            stream = struct.unpack_from("!I", payload)[0] & 0x7FFFFFFF if type_ != SETTINGS else 0
            match type_:
                case 1:
                    return ControlFrame(type_, stream, fin, self._headers(payload[10:]))
                case 2 | 8:
                    return ControlFrame(type_, stream, fin, self._headers(payload[4:]))
                case 3:
                    return ControlFrame(type_, stream, fin, {}, struct.unpack_from("!I", payload, 4)[0])
                case 6:
                    return ControlFrame(type_, struct.unpack_from("!I", payload)[0], fin, {})
                case _:
                    return ControlFrame(type_, stream, fin, {})
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"broken control frame of type {type_}") from error

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block)
        count, offset = struct.unpack_from("!I", plain)[0], 4
        parts: list[str] = []
        for _ in range(2 * count):
            size = struct.unpack_from("!I", plain, offset)[0]
            offset += 4 + size
            if offset > len(plain):
                raise SpdyError("broken header block")
            parts.append(plain[offset - size : offset].decode("latin-1"))
        return {name.lower(): value for name, value in zip(parts[::2], parts[1::2], strict=True)}

    def syn_stream(self, stream: int, headers: Mapping[str, str], *, fin: bool = False) -> bytes:
        """Open a stream."""
        return self._frame(SYN_STREAM, struct.pack("!IIH", stream, 0, 0) + self._block(headers), fin)

    def syn_reply(self, stream: int, headers: Mapping[str, str] | None = None, *, fin: bool = False) -> bytes:
        """Accept a stream."""
        return self._frame(SYN_REPLY, struct.pack("!I", stream) + self._block(headers or {}), fin)

    def rst_stream(self, stream: int, status: int = CANCEL) -> bytes:
        """Break a stream off."""
        return self._frame(RST_STREAM, struct.pack("!II", stream, status))

    def ping(self, number: int) -> bytes:
        """A ping, or the answer to one: the same frame sent back."""
        return self._frame(PING, struct.pack("!I", number))

    def goaway(self, last: int) -> bytes:
        """Accept no more streams after `last`."""
        return self._frame(GOAWAY, struct.pack("!II", last, 0))

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Data on a stream; an empty frame with `fin` half-closes it."""
        return struct.pack("!II", stream, (FIN if fin else 0) << 24 | len(data)) + data

    def _frame(self, type_: int, payload: bytes, fin: bool = False) -> bytes:
        return struct.pack("!HHI", 0x8000 | VERSION, type_, (FIN if fin else 0) << 24 | len(payload)) + payload

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = struct.pack("!I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                plain += struct.pack("!I", len(text)) + text
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
