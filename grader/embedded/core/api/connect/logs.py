"""The log subresource: which lines of a container's log a request asks for, as the kubelet cuts them.

Rules: pkg/apis/core/validation/validation.go ValidatePodLogOptions, k8s.io/cri-client/pkg/logs/logs.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from grader.embedded.core.api.http import field
from grader.embedded.core.api.http.status import bad_request, invalid
from grader.embedded.core.kubelet.logs import LogLine


@dataclass(frozen=True)
class LogOptions:
    """What a request asks for; None where it does not say.

    Attributes:
        follow: stay connected for later lines.
        previous: the container's run before this one.
        timestamps: lead each line with its time.
        since: only lines from this time on, seconds since the epoch.
        tail: only so many lines at the end.
        limit: only so many bytes.
    """

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: float | None = None
    tail: int | None = None
    limit: int | None = None


def options_of(query: Mapping[str, str], now: float) -> LogOptions:
    """Read and validate a request's parameters.

    Args:
        query: the parameters.
        now: seconds since the epoch, for sinceSeconds.

    Raises ApiError: 400 where a parameter cannot be read, 422 where its value is not allowed.
    """
    since_seconds, tail, limit = (_number(query, name) for name in ("sinceSeconds", "tailLines", "limitBytes"))
    since_time = query.get("sinceTime")
    errors = []
    if tail is not None and tail < 0:
        errors.append(field.invalid("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        errors.append(field.invalid("limitBytes", limit, "must be greater than 0"))
    if since_seconds is not None and since_time is not None:
        errors.append(field.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif since_seconds is not None and since_seconds < 1:
        errors.append(field.invalid("sinceSeconds", since_seconds, "must be greater than 0"))
    if query.get("stream", "All") != "All":  # one log for both, as without the feature PodLogsQuerySplitStreams
        errors.append(field.forbidden("stream", "may not be specified"))
    if errors:
        raise invalid("PodLogOptions", "", "", errors)
    since = None
    if since_seconds is not None:
        since = now - since_seconds
    elif since_time is not None:
        try:
            since = datetime.fromisoformat(since_time).timestamp()
        except ValueError:
            raise bad_request(f"parsing time {since_time!r} as RFC3339") from None
    follow, previous, timestamps = (_truth(query, name) for name in ("follow", "previous", "timestamps"))
    return LogOptions(follow, previous, timestamps, since, tail, limit)


def _truth(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "false").lower() in ("1", "t", "true", "")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


class Cutter:
    """Cuts a log as it grows: `existing` for the lines that are there, then `later` for each that comes."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit

    @property
    def full(self) -> bool:
        """Whether as many bytes as were asked for have been given out."""
        return self._left is not None and self._left <= 0

    def existing(self, lines: Iterable[LogLine]) -> bytes:
        """What to send of the lines that are there: the tail is counted before the time is looked at, as upstream."""
        held = list(lines)
        if self._options.tail is not None:
            held = held[len(held) - min(self._options.tail, len(held)) :]
        return b"".join(map(self.later, held))

    def later(self, line: LogLine) -> bytes:
        """What to send of one more line."""
        options = self._options
        if self.full:
            return b""
        if options.since is not None and line.time < options.since:
            return b""
        data = line.stamped() if options.timestamps else line.text
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data
