"""The files of a hand-in, as bytes: a folder and the zip files in it. Nothing is followed, unpacked or waited for."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MOST_FILES = 2_000
MOST_DEPTH = 6
MOST_ARCHIVE = 50_000_000
LEGACY_NAMES = "cp932"
"""The encoding of names in a zip that Windows makes in Japan, where the zip does not say that they are UTF-8."""
SKIPPED = ("__MACOSX",)


class Refused(Exception):
    """A file that is not read.

    Attributes:
        code: why, in the catalogue `classroom`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Files:
    """What a hand-in holds.

    Attributes:
        problems: codes of what could not be listed, each with the path it is about.
        folders: paths of the folders in it.
        most: bytes of a zip and a bound of files; None: those of a whole class, from whoever can be trusted.
    """

    problems: list[tuple[str, str]] = field(default_factory=list)
    folders: list[PurePosixPath] = field(default_factory=list)
    most: int | None = MOST_ARCHIVE
    _readers: dict[str, Callable[[int], bytes]] = field(default_factory=dict)

    @classmethod
    def under(cls, root: Path, most: int | None = MOST_ARCHIVE) -> Files:
        """List a folder, or a zip file."""
        found = cls(most=most)
        if root.is_dir():
            found._list(root, PurePosixPath(), 0)
        else:
            found._archive(root, PurePosixPath())
        return found

    @property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """Every path, those with few parts first."""
        return tuple(sorted(map(PurePosixPath, self._readers), key=lambda path: (len(path.parts), path)))

    def read(self, path: PurePosixPath, most: int) -> bytes:
        """The bytes of a file. Raises Refused."""
        data = self._readers[str(path)](most + 1)
        if len(data) > most:
            raise Refused("submission-too-large")
        return data

    def _list(self, folder: Path, relative: PurePosixPath, depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if not _hidden(entry.name))
        except OSError:
            self.problems.append(("submission-unreadable", str(relative)))
            return
        for name in names:
            path, place = folder / name, relative / name
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                self.folders.append(place)
                if depth < MOST_DEPTH:
                    self._list(path, place, depth + 1)
                else:
                    self.problems.append(("submission-too-deep", str(place)))
            elif stat.S_ISREG(mode) and path.suffix.lower() == ".zip":
                self._archive(path, place)
            elif not self._add(place, lambda most, path=path: _read(path, most)):  # type: ignore[misc]
                return

    def _add(self, place: PurePosixPath, reader: Callable[[int], bytes]) -> bool:
        if self.most is not None and len(self._readers) >= MOST_FILES:
            if ("submission-too-many-files", "") not in self.problems:
                self.problems.append(("submission-too-many-files", ""))
            return False
        while str(place) in self._readers:  # a zip may hold two files of one name
            place = place.parent / "_" / place.name
        self._readers[str(place)] = reader
        return True

    def _archive(self, path: Path, place: PurePosixPath) -> None:
        """List the files in a zip; one in a zip stays closed."""
        try:
            if self.most is None and not place.name:
                archive = zipfile.ZipFile(path, metadata_encoding=LEGACY_NAMES)
            else:
                data = _read(path, MOST_ARCHIVE + 1)
                if len(data) > MOST_ARCHIVE:
                    raise Refused("submission-too-large")
                archive = zipfile.ZipFile(io.BytesIO(data), metadata_encoding=LEGACY_NAMES)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
            self.problems.append(("submission-archive-broken", str(place)))
            return
        except Refused as refused:
            self.problems.append((refused.code, str(place)))
            return
        inside = place.with_suffix("") if place.name else place
        for item in archive.infolist():
            parts = [part for part in PurePosixPath(item.filename.replace("\\", "/")).parts if part not in ("/", "..")]
            if item.is_dir() or not parts or any(map(_hidden, parts)):
                continue
            if not self._add(inside.joinpath(*parts), lambda most, item=item: _unpacked(archive, item, most)):  # type: ignore[misc]
                return


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _read(path: Path, most: int) -> bytes:
    """Read a regular file, which is looked at after it was opened. Raises Refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Refused("submission-link" if path.is_symlink() else "submission-unreadable") from error
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused("submission-unreadable")
        return handle.read(most)


def _unpacked(archive: zipfile.ZipFile, item: zipfile.ZipInfo, most: int) -> bytes:
    """Read a file in a zip. Raises Refused."""
    if stat.S_ISLNK(item.external_attr >> 16):
        raise Refused("submission-link")
    try:
        with archive.open(item) as handle:
            return handle.read(most)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise Refused("submission-archive-broken") from error


def entries(root: Path) -> Iterator[Path]:
    """Give what lies in a folder of hand-ins: a folder or a zip for each student, by name."""
    for path in sorted(root.iterdir()):
        if not _hidden(path.name) and (path.is_symlink() or path.is_dir() or path.suffix.lower() == ".zip"):
            yield path
