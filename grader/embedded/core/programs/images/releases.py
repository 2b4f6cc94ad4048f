"""Which versions of the known images were ever released, so that a tag that never was is not pulled.

Sources: endoflife-date/endoflife.date products/{nginx,redis,postgresql,apache-http-server,alpine-linux}.md (February
2026; PostgreSQL and httpd 2024), docker-library/repo-info repos/*/remote (to October 2026), Debian 12's apache2 2.4.71,
kubernetes test/images/agnhost/VERSION 2.63.0 (1.36.3), and tags in public Dockerfiles.
"""

from __future__ import annotations

import re
from functools import cache

AS_OF = "2026-10"
"""What has been released since is not known here."""
OPEN = 9
"""How many more patches of a line are believed that was still maintained when it was looked up."""

_LINES = {
    "nginx": (
        "1.0.15 1.2.9 1.4.7 1.6.3 1.7.12 1.8.1 1.9.15 1.10.3 1.11.13 1.12.2 1.13.12 1.14.2 1.15.12 1.16.1 1.17.10"
        " 1.18.0 1.19.10 1.20.2 1.21.6 1.22.1 1.23.4 1.24.0 1.25.5 1.26.3 1.27.5 1.28.2+ 1.29.8+ 1.30.5+ 1.31.6+"
    ),
    "httpd": "2.2.34 2.4.71+",
    "redis": (
        "2.6-8.0+ 3.0.0+ 3.2.0+ 4.0.0+ 5.0.14 6.0.20 6.2.24+ 7.0.15 7.2.16+ 7.4.11+ 8.0.6+ 8.2.5+ 8.4.2+ 8.6.1+ 8.8.0+"
        " 8.10.2+"
    ),
    "postgres": (
        "8.4.22 9.0.23 9.1.24 9.2.24 9.3.25 9.4.26 9.5.25 9.6.24 10.23 11.22 12.19+ 13.15+ 14.24+ 15.19+ 16.15+ 17.11+"
        " 18.6+"
    ),
    "busybox": "1.21-38.0+",
    "alpine": (
        "2.6.8 2.7.9 3.1.4 3.2.3 3.3.3 3.4.6 3.5.3 3.6.5 3.7.3 3.8.5 3.9.6 3.10.9 3.11.13 3.12.12 3.13.12 3.14.10"
        " 3.15.11 3.16.9 3.17.10 3.18.12 3.19.9 3.20.9+ 3.21.8+ 3.22.6+ 3.23.6+ 3.24.2+"
    ),
    "curlimages/curl": "7.65-88.0+ 8.0-22.0+",
    "hashicorp/http-echo": "0.1-2.0+ 1.0.0+",
    "registry.k8s.io/e2e-test-images/agnhost": "2.0-63.0",
    "registry.k8s.io/pause": "3.0-10.1+",
}
"""The last release of each line of an image; `2.6-8.0` stands for 2.6.0, 2.7.0 and 2.8.0; + where more patches came."""
_LINE = re.compile(r"(\d+(?:\.\d+)*)(?:-(\d+))?\.(\d+)(\+?)")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-.*)?")

Version = tuple[int, ...]


@cache
def _lines(repository: str) -> dict[Version, int]:
    """The last patch of each line: (1, 29) → 8."""
    found: dict[Version, int] = {}
    for text in _LINES.get(repository, "").split():
        match = _LINE.fullmatch(text)
        assert match is not None, text
        start, end, patch, more = match.groups()
        line = _numbers(start)
        last = int(patch) + (OPEN if more else 0)
        for minor in range(line[-1], int(end or line[-1]) + 1):
            found[(*line[:-1], minor)] = last
    return found


def _numbers(text: str) -> Version:
    return tuple(int(number) for number in text.split("."))


def was_released(repository: str, tag: str) -> bool:
    """Whether a tag may be of a release: any tag that is no version, and any of an image that is not listed.

    Args:
        repository: the image in its shortest form, such as `nginx`.
        tag: such as `1.29`, `1.29.3-alpine` or `latest`.

    """
    match = _VERSION.fullmatch(tag)
    lines = _lines(repository)
    if match is None or not lines:
        return True
    version = _numbers(match[1])
    if any(line[: len(version)] == version for line in lines):
        return True
    return version[-1] <= lines.get(version[:-1], -1)
