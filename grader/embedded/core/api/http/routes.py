"""Paths of the API: which resource, namespace, name and subresource a path means."""

from __future__ import annotations

from dataclasses import dataclass

from grader.embedded.core.api.http.status import unknown_path


@dataclass(frozen=True)
class ResourcePath:
    """What a path addresses.

    Attributes:
        group: API group, "" for core.
        version: API version.
        plural: resource.
        namespace: "" where none or all.
        name: "" for the collection.
        subresource: "" for the object itself.
        rest: path behind the subresource (proxy only), with its leading slash, "" where there is none.
        watch: the old `/watch/` form of the path.
    """

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    watch: bool = False


def target_of(path: str) -> ResourcePath:
    """Take a path apart. Raises ApiError (404) for what is no path of the API."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise unknown_path()
    watch = rest[0] == "watch" and len(rest) > 1
    if watch:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and not (len(rest) == 3 and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    plural = rest[0]
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if len(rest) > 3 and subresource != "proxy":
        raise unknown_path()
    behind = "/" + "/".join(rest[3:]) if len(rest) > 3 else ""
    return ResourcePath(group, version, plural, namespace, name, subresource, behind, watch)
