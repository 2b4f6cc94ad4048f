"""Who a container's processes run as: numbers, and their names in the image's /etc/passwd and /etc/group.

Source: github.com/containerd/containerd v2 pkg/oci/spec_opts.go (WithUser, WithAdditionalGIDs, ensureAdditionalGids).
The images' accounts are those of their Dockerfiles and base images (Alpine 3.22, Debian 13, BusyBox 1.37).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.embedded.core.programs.images.specs import ImageSpec

_NOBODY = {"busybox": "nobody:x:65534:65534:nobody:/home:/bin/false", "": "nobody:x:65534:65534:nobody:/:/sbin/nologin"}
_ACCOUNTS = {
    "curl": ("curl_user:x:100:101:Linux User,,,:/home/curl_user:/sbin/nologin", "curl_group:x:101:curl_user"),
    "nginx": ("nginx:x:101:101:nginx user:/nonexistent:/bin/false", "nginx:x:101:"),
}
"""By image, an account of its own and the account's group."""
_GROUPS = {
    "busybox": "root:x:0: daemon:x:1: bin:x:2: sys:x:3: wheel:x:10:root www-data:x:33: nobody:x:65534:",
    "alpine": "root:x:0:root bin:x:1:root,bin,daemon daemon:x:2:root,bin,daemon sys:x:3:root,bin adm:x:4:root,daemon "
    "disk:x:6:root wheel:x:10:root floppy:x:11:root dialout:x:20:root tape:x:26:root video:x:27:root www-data:x:82: "
    "nobody:x:65534:",
    "debian": "root:x:0: daemon:x:1: bin:x:2: sys:x:3: adm:x:4: www-data:x:33: nogroup:x:65534:",
}


@dataclass(frozen=True)
class User:
    """Who a process runs as.

    Attributes:
        uid: the user's number.
        gid: the primary group's number.
        groups: the numbers of all groups, in order.
    """

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = (0,)


ROOT = User()


def passwd(spec: ImageSpec) -> str:
    """The content of the image's /etc/passwd."""
    own = _ACCOUNTS.get(spec.name, ("",))[0]
    lines = ["root:x:0:0:root:/root:/bin/sh", _NOBODY.get(spec.name, _NOBODY[""]), own]
    return "".join(f"{line}\n" for line in lines if line)


def group(spec: ImageSpec) -> str:
    """The content of the image's /etc/group."""
    base = "debian" if spec.flavour == "debian" else "busybox" if spec.name == "busybox" else "alpine"
    return "".join(f"{line}\n" for line in [*_GROUPS[base].split(), *_ACCOUNTS.get(spec.name, ())[1:]])


def name_of(table: str, number: int) -> str:
    """The name that a table (passwd or group) has for a number, "" where it has none."""
    return next((fields[0] for fields in _fields(table) if fields[2] == str(number)), "")


def home_of(spec: ImageSpec, uid: int) -> str:
    """The home folder of a user, "/" for one whom the image does not know (runc libcontainer, GetExecUser)."""
    return next((fields[5] for fields in _fields(passwd(spec)) if fields[2] == str(uid)), "/")


def user_of(
    spec: ImageSpec, uid: int | None = None, gid: int | None = None, more: Iterable[int] = (), *, strict: bool = False
) -> User:
    """Who processes of an image run as.

    Args:
        spec: the image.
        uid: the user that the container asks for, None for the image's.
        gid: the group that the container asks for, None for the user's, or 0 where the image does not know the user.
        more: further groups of the Pod.
        strict: whether the groups of the image's /etc/group are left out.
    """
    uid = spec.user if uid is None else uid
    known = next((fields for fields in _fields(passwd(spec)) if fields[2] == str(uid)), None)
    if gid is None:
        gid = int(known[3]) if known else 0
    member = {int(fields[2]) for fields in _fields(group(spec)) if known and known[0] in fields[3].split(",")}
    return User(uid, gid, tuple(sorted({gid, *more, *(() if strict else member)})))


def _fields(table: str) -> Iterable[list[str]]:
    return (fields for line in table.splitlines() if len(fields := line.split(":")) > 3)
