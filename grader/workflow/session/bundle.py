"""One file that installs the course where there is no internet: its own files, and the wheels that it is locked to.

    kubernetes-services-course.tar
    ├── kubernetes-services-course/     the course, as in a checkout
    ├── wheels/                         every wheel of requirements/learner.txt, kubectl among them
    └── bundle.json                     which Python and machine the wheels are for

`tools/install.py` reads it (`make start BUNDLE=FILE`).
"""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.cluster.provider import Progress, silent
from grader.errors import EnvironmentError_, UsageError
from grader.paths import APP, content_root

NAME = f"{APP}.tar"
LOCKS = ("install.txt", "learner.txt")
CARRIED = (
    "LICENSE",
    "Makefile",
    "README.md",
    "course",
    "exercises",
    "grader",
    "pyproject.toml",
    "requirements",
    "tools",
)
LEFT_OUT = frozenset({"__pycache__"})
_TAIL = 5


@dataclass(frozen=True)
class Platform:
    """What the wheels are for.

    Attributes:
        python: version of Python, "3.12": that of this process, by which pip reads the markers of the lock.
        platforms: platform tags of wheels, "manylinux_2_28_x86_64"; empty: this machine.

    """

    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    platforms: tuple[str, ...] = ()

    @property
    def machine(self) -> str:
        """For a person."""
        return ", ".join(self.platforms) or f"{platform.system()} {platform.machine()}"


def bundle(file: Path, target: Platform | None = None, progress: Progress | None = None) -> int:
    """Write the bundle, and return its size in bytes. What was there is replaced only by a whole one.

    Raises UsageError ("bundle-no-checkout") where the course is installed without its sources,
    EnvironmentError_ ("bundle-download") where a wheel cannot be had, OSError.
    """
    report, wanted, root = progress or silent, target or Platform(), content_root()
    if not (root / "requirements" / LOCKS[-1]).is_file():
        raise UsageError("bundle-no-checkout", folder=root)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".bundle-") as scratch:
        wheels = Path(scratch) / "wheels"
        report("bundle-downloading", {"python": wanted.python, "machine": wanted.machine})
        download(root, wheels, wanted)
        report("bundle-writing", {"file": str(file)})
        draft = Path(scratch) / NAME
        with tarfile.open(draft, "w") as archive:
            about = {"python": wanted.python, "machine": wanted.machine}
            _add(archive, "bundle.json", json.dumps(about).encode())
            for path in sorted(wheels.iterdir()):
                archive.add(path, f"wheels/{path.name}", recursive=False, filter=_nobodys)
            for path in _files(root):
                archive.add(path, f"{APP}/{path.relative_to(root)}", recursive=False, filter=_nobodys)
        with draft.open("rb") as handle:
            os.fsync(handle.fileno())
        draft.replace(file)
    return file.stat().st_size


def download(root: Path, wheels: Path, target: Platform) -> None:
    """Fetch every locked wheel, its hash checked. Raises EnvironmentError_ ("bundle-download")."""
    locks = [part for name in LOCKS for part in ("-r", str(root / "requirements" / name))]
    tags = [part for tag in target.platforms for part in ("--platform", tag)]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"),
        *("--only-binary", ":all:", "--dest", str(wheels)),
        *tags,
        *locks,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = "\n".join(done.stderr.strip().splitlines()[-_TAIL:])
        raise EnvironmentError_("bundle-download", machine=target.machine, python=target.python, reason=told)


def _files(root: Path, names: Sequence[str] = CARRIED) -> Iterator[Path]:
    for name in names:
        top = root / name
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (path for path in found if path.is_file() and not LEFT_OUT & set(path.parts))


def _nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose files they were."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
