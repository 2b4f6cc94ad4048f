"""Reading the protobuf bodies that kubectl sends for `create` and `run`.

The envelope is `k8s`, a zero byte and a runtime.Unknown (k8s.io/apimachinery/pkg/runtime/serializer/protobuf). Field
numbers come from the schema file, so a decoder of the four wire types (protobuf.dev/programming-guides/encoding) is all
that is needed.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from grader.embedded.core.api.http.status import bad_request
from grader.embedded.core.api.schema import types

MAGIC = b"k8s\x00"
CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
Tree = dict[str, Any]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[str, int | bytes]]:
    """Number and raw value of each field of a message: an integer, or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = str(tag >> 3), tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + length > len(data):
            raise ValueError("unexpected EOF")
        yield number, data[at : at + length]
        at += length


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def envelope(body: bytes) -> tuple[str, str, bytes]:
    """(apiVersion, kind, raw message) of a body. Raises ApiError (400)."""
    if not body.startswith(MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version = kind = ""
    raw = b""
    try:
        for number, value in _fields(body[len(MAGIC) :]):
            if number == "1" and isinstance(value, bytes):
                meta = {key: item.decode() for key, item in _fields(value) if isinstance(item, bytes)}
                api_version, kind = meta.get("1", ""), meta.get("2", "")
            elif number == "2" and isinstance(value, bytes):
                raw = value
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise bad_request(f"unable to decode protobuf: {error}") from error
    return api_version, kind, raw


def decode(raw: bytes, definition: str) -> Tree:
    """A message as the JSON tree of the same object. Raises ApiError (400)."""
    try:
        return _message(raw, definition)
    except (ValueError, IndexError, UnicodeDecodeError, struct.error) as error:
        raise bad_request(f"unable to decode protobuf: {error}") from error


def _message(raw: bytes, definition: str) -> Tree:
    known = types.wire(definition)
    result: Tree = {}
    for number, value in _fields(raw):
        if number not in known:
            continue
        name, kind, mode = known[number]
        if mode == "{}":
            key, item = _entry(value, kind)
            result.setdefault(name, {})[key] = item
        elif mode == "[]":
            result.setdefault(name, []).append(_value(value, kind))
        elif not name:
            result.update(_value(value, kind))
        else:
            item = _value(value, kind)
            if item is not None:
                result[name] = item
    return result


def _entry(value: int | bytes, kind: str) -> tuple[str, Any]:
    key, item = "", _value(b"", kind) if kind not in ("i", "o") else 0
    for number, part in _fields(_bytes(value)):
        if number == "1":
            key = _bytes(part).decode()
        elif number == "2":
            item = _value(part, kind)
    return key, item


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("bytes expected")
    return value


def _value(value: int | bytes, kind: str) -> Any:
    match kind:
        case "s":
            return _bytes(value).decode()
        case "b":
            return base64.b64encode(_bytes(value)).decode()
        case "i":
            return _signed(value) if isinstance(value, int) else int.from_bytes(value, "little", signed=True)
        case "o":
            return bool(value)
        case "f":
            data = _bytes(value)
            return struct.unpack("<d" if len(data) == 8 else "<f", data)[0]
    return _special(_bytes(value), kind)


def _special(raw: bytes, definition: str) -> Any:
    if definition in (f"{types.META}.Time", f"{types.META}.MicroTime"):
        numbers = {number: part for number, part in _fields(raw) if isinstance(part, int)}
        if not numbers:
            return None
        moment = datetime.fromtimestamp(_signed(numbers.get("1", 0)), UTC)
        if definition.endswith("MicroTime"):
            return moment.replace(microsecond=numbers.get("2", 0) // 1000).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if definition == types.QUANTITY:
        return next((_bytes(part).decode() for number, part in _fields(raw) if number == "1"), "0")
    if definition == types.INT_OR_STRING:
        parts = dict(_fields(raw))
        if parts.get("1", 0) == 1:
            return _bytes(parts.get("3", b"")).decode()
        number_ = parts.get("2", 0)
        return _signed(number_) if isinstance(number_, int) else 0
    if definition in types.OPAQUE:
        return next((json.loads(_bytes(part)) for number, part in _fields(raw) if number == "1" and part), {})
    return _message(raw, definition)
