"""A container's files where volumes are mounted over them: each path belongs to the innermost mount that covers it.

Who may write where is as with umask 022: files and folders are their maker's alone, /tmp and volumes are everybody's.
Texts of a refused write are those of busybox 1.37 and of Debian 13's coreutils, seen on kind 1.36.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import wraps

from grader.embedded.core.programs.context import Program, ProgramContext
from grader.embedded.core.programs.images.users import ROOT, User
from grader.embedded.core.programs.signals import SIGSEGV

Files = MutableMapping[str, bytes]
"""Path and content."""
KEPT = ".keep"
"""Name of the hidden entry that keeps an empty folder."""


READ_ONLY = "Read-only file system"
DENIED = "Permission denied"
ERRNO = {READ_ONLY: 30, DENIED: 13}
OPEN = ("/tmp", "/var/tmp", "/dev/shm")
"""Folders that everybody may write to."""


TOO_DEEP = "Segmentation fault (nested too deeply for the embedded cluster)"


class WriteRefused(Exception):
    """A write to files that are there to be read only (EROFS), or that are not the user's (EACCES).

    Attributes:
        path: the absolute path in the container.
        why: READ_ONLY or DENIED.

    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Owned(bytes):
    """The content of a file that is not root's.

    Attributes:
        owner: the numbers of its user and its group.
    """

    owner = (0, 0)

    @classmethod
    def by(cls, content: bytes, owner: tuple[int, int]) -> bytes:
        """The content as a file of an owner."""
        if owner == (0, 0):
            return bytes(content)
        found = cls(content)
        found.owner = owner
        return found


def owner_of(content: bytes | None) -> tuple[int, int]:
    """The numbers of a file's user and group."""
    return content.owner if isinstance(content, Owned) else (0, 0)


@dataclass(frozen=True)
class Mount:
    """One volume at one place in a container.

    Attributes:
        path: the absolute path of the mount point.
        files: the volume: paths in it, without a leading slash, and contents.
        inside: what of the volume is mounted: a folder, "" for all of it, or a file.
        read_only: whether the container may not write to it.
        is_file: whether a single file is mounted.
        open: whether everybody may write to it; else root alone.
        group: the group that what is in it belongs to (fsGroup), None for its writer's.

    """

    path: str
    files: Files
    inside: str = ""
    read_only: bool = False
    is_file: bool = False
    open: bool = True
    group: int | None = None

    def key(self, path: str) -> str | None:
        """The path in the volume of an absolute path in the container; None where the mount does not cover it."""
        if self.is_file:
            return self.inside if path == self.path else None
        if not path.startswith(f"{self.path}/"):
            return None
        inner = path[len(self.path) + 1 :]
        return f"{self.inside}/{inner}" if self.inside else inner

    def paths(self) -> Iterator[str]:
        """The absolute paths in the container of what it shows."""
        if self.is_file:
            if self.inside in self.files:
                yield self.path
            return
        before = f"{self.inside}/" if self.inside else ""
        for key in list(self.files):
            if key.startswith(before):
                yield f"{self.path}/{key[len(before) :]}"


class MountedFiles(Files):
    """A container's own files, and volumes over them.

    Attributes:
        mounts: the mounts, the innermost first.
        read_only_root: whether the container's own files are there to be read only.
        user: who writes.
        home: the user's own folder.

    """

    def __init__(self, own: Files, mounts: Iterable[Mount]) -> None:
        self._own = own
        self.read_only_root = False
        self.user: User = ROOT
        self.home = "/"
        self.mounts = tuple(sorted(mounts, key=lambda mount: -len(mount.path)))

    def _find(self, path: str) -> tuple[Files, str, bool]:
        for mount in self.mounts:
            if (key := mount.key(path)) is not None:
                return mount.files, key, mount.read_only
        return self._own, path, self.read_only_root and path != "/etc/hosts" and not path.startswith("/dev/")

    def _to_write(self, path: str, *, removing: bool = False) -> tuple[Files, str]:
        if why := self.refusal(path, removing=removing):
            raise WriteRefused(path, why)
        files, key, _ = self._find(path)
        return files, key

    def refusal(self, path: str, *, removing: bool = False) -> str:
        """Why a file may not be written, or removed: READ_ONLY or DENIED, "" where it may."""
        files, key, read_only = self._find(path)
        if read_only:
            return READ_ONLY
        if self.user.uid == 0:
            return ""
        if key in files and not removing:
            mount = self._mount_of(path)
            shared = mount is not None and mount.is_file and mount.open
            return "" if shared or owner_of(files[key])[0] == self.user.uid else DENIED
        return "" if self._is_open(path.rpartition("/")[0] or "/") else DENIED

    def _mount_of(self, path: str) -> Mount | None:
        return next((mount for mount in self.mounts if mount.key(path) is not None), None)

    def _is_open(self, folder: str) -> bool:
        """Whether the user may put files into a folder: the nearest one that somebody has made decides."""
        while folder not in ("", "/"):
            mount = next((mount for mount in self.mounts if mount.path == folder and not mount.is_file), None)
            if mount is not None:
                return mount.open
            if folder in OPEN or folder == self.home:
                return True
            if (made := self.get(f"{folder}/{KEPT}")) is not None:
                return owner_of(made)[0] == self.user.uid
            folder = folder.rpartition("/")[0]
        return False

    def owner(self, path: str) -> tuple[int, int]:
        """The numbers of the user and the group of a file, or of a folder."""
        mount = next((mount for mount in self.mounts if mount.path == path), None) or self._mount_of(path)
        user, group = owner_of(self.get(path, self.get(f"{path}/{KEPT}")))
        return user, group if mount is None or mount.group is None else mount.group

    def __getitem__(self, path: str) -> bytes:
        files, key, _ = self._find(path)
        return files[key]

    def __setitem__(self, path: str, content: bytes) -> None:
        files, key = self._to_write(path)
        owner = owner_of(files[key]) if key in files else (self.user.uid, self.user.gid)
        files[key] = Owned.by(content, owner)

    def __delitem__(self, path: str) -> None:
        files, key = self._to_write(path, removing=True)
        del files[key]

    def __iter__(self) -> Iterator[str]:
        for path in list(self._own):
            if self._find(path)[0] is self._own:
                yield path
        for mount in self.mounts:
            for path in mount.paths():
                if self._find(path)[0] is mount.files:
                    yield path

    def __len__(self) -> int:
        return sum(1 for _ in self)


def folders(files: Files) -> tuple[str, ...]:
    """The folders over which volumes are mounted: nothing of the image is seen in them."""
    if not isinstance(files, MountedFiles):
        return ()
    return tuple(mount.path for mount in files.mounts if not mount.is_file)


def refusal(files: Files, path: str) -> str:
    """Why a file may not be written: READ_ONLY or DENIED, "" where it may."""
    return files.refusal(path) if isinstance(files, MountedFiles) else ""


def telling(program: Program) -> Program:
    """A program that says where it may not write, and ends with 1; nested too deeply, it ends as by SIGSEGV."""

    @wraps(program)
    async def run(context: ProgramContext) -> int:
        try:
            return await program(context)
        except WriteRefused as refused:
            context.error(f"{context.name}: {_what(context, refused.path)}: {refused.why}")
            return 1
        except RecursionError:
            context.error(f"{context.name}: {TOO_DEEP}")
            return 128 + SIGSEGV

    return run


def _what(context: ProgramContext, path: str) -> str:
    path = path.removesuffix(f"/{KEPT}")
    busybox = context.image.flavour == "busybox"
    cannot = "can't" if busybox else "cannot"
    verbs = {"rm": "remove", "mkdir": "create directory"}
    verbs |= {name: "create" if busybox else "create regular file" for name in ("cp", "mv")}
    if not busybox:
        verbs["touch"] = "touch"
    verb = verbs.get(context.name)
    return f"{cannot} {verb} '{path}'" if verb else path
