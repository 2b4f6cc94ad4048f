"""A container's files where volumes are mounted over them: each path belongs to the innermost mount that covers it.

Texts of a refused write are those of busybox 1.37 and of Debian 13's coreutils, seen on kind 1.36.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import wraps

from grader.embedded.core.programs.context import Program, ProgramContext

Files = MutableMapping[str, bytes]
"""Path and content."""
KEPT = ".keep"
"""Name of the hidden entry that keeps an empty folder."""


class ReadOnlyFileSystem(Exception):
    """A write to a volume, or to a container's own files, that are there to be read only (EROFS).

    Attributes:
        path: the absolute path in the container.

    """

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: Read-only file system")
        self.path = path


@dataclass(frozen=True)
class Mount:
    """One volume at one place in a container.

    Attributes:
        path: the absolute path of the mount point.
        files: the volume: paths in it, without a leading slash, and contents.
        inside: what of the volume is mounted: a folder, "" for all of it, or a file.
        read_only: whether the container may not write to it.
        is_file: whether a single file is mounted.

    """

    path: str
    files: Files
    inside: str = ""
    read_only: bool = False
    is_file: bool = False

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

    """

    def __init__(self, own: Files, mounts: Iterable[Mount]) -> None:
        self._own = own
        self.read_only_root = False
        self.mounts = tuple(sorted(mounts, key=lambda mount: -len(mount.path)))

    def _find(self, path: str) -> tuple[Files, str, bool]:
        for mount in self.mounts:
            if (key := mount.key(path)) is not None:
                return mount.files, key, mount.read_only
        return self._own, path, self.read_only_root and path != "/etc/hosts" and not path.startswith("/dev/")

    def _to_write(self, path: str) -> tuple[Files, str]:
        files, key, read_only = self._find(path)
        if read_only:
            raise ReadOnlyFileSystem(path)
        return files, key

    def __getitem__(self, path: str) -> bytes:
        files, key, _ = self._find(path)
        return files[key]

    def __setitem__(self, path: str, content: bytes) -> None:
        files, key = self._to_write(path)
        files[key] = content

    def __delitem__(self, path: str) -> None:
        files, key = self._to_write(path)
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


def is_writable(files: Files, path: str) -> bool:
    """Whether a file may be written."""
    return not isinstance(files, MountedFiles) or not files._find(path)[2]


def telling(program: Program) -> Program:
    """A program that says where it may not write, and ends with 1."""

    @wraps(program)
    async def run(context: ProgramContext) -> int:
        try:
            return await program(context)
        except ReadOnlyFileSystem as refusal:
            context.error(f"{context.name}: {_what(context, refusal.path)}: Read-only file system")
            return 1

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
