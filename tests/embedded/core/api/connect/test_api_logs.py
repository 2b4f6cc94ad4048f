from __future__ import annotations

import pytest

from grader.embedded.core.api.connect.logs import Cutter, options_of
from grader.embedded.core.api.http.status import ApiError
from grader.embedded.core.kubelet.logs import LogLine

LINES = [LogLine(100.0, b"one\n"), LogLine(200.5, b"two\n"), LogLine(300.0, b"three\n")]
NOW = 310.0


def cut(**query: str) -> bytes:
    return Cutter(options_of(query, NOW)).existing(LINES)


def test_without_options_everything_is_shown() -> None:
    assert cut() == b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"tailLines": "1"}, b"three\n"),
        ({"tailLines": "0"}, b""),
        ({"tailLines": "9"}, b"one\ntwo\nthree\n"),
        ({"sinceSeconds": "20"}, b"three\n"),
        ({"sinceTime": "1970-01-01T00:03:20Z"}, b"two\nthree\n"),
        ({"limitBytes": "5"}, b"one\nt"),
        ({"timestamps": "true", "tailLines": "1"}, b"1970-01-01T00:05:00.000000000Z three\n"),
    ],
)
def test_options_cut_the_log(query: dict[str, str], shown: bytes) -> None:
    assert cut(**query) == shown


def test_the_byte_limit_ends_a_followed_log() -> None:
    cutter = Cutter(options_of({"limitBytes": "6", "follow": "true"}, NOW))

    assert cutter.existing(LINES[:1]) == b"one\n"
    assert not cutter.full
    assert cutter.later(LogLine(400.0, b"four\n")) == b"fo"
    assert cutter.full


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": "1", "sinceTime": "1970-01-01T00:00:00Z"}, 422, "at most one of `sinceTime` or"),
        ({"stream": "Stderr"}, 422, "stream: Forbidden: may not be specified"),
        ({"tailLines": "x"}, 400, "invalid syntax"),
        ({"sinceTime": "yesterday"}, 400, "RFC3339"),
    ],
)
def test_what_cannot_be_asked_is_refused(query: dict[str, str], code: int, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        options_of(query, NOW)

    assert caught.value.code == code
    assert text in caught.value.message
