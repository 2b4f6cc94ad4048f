"""`tar`, which is what `kubectl cp` runs in the container (k8s.io/kubectl pkg/cmd/cp/cp.go)."""

from __future__ import annotations

import io
import tarfile

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import children, exists, is_folder, read_file
from grader.embedded.core.programs.mounts import KEPT

LETTERS = frozenset("cxtvmpohfCz")
OWNERSHIP = ("--no-same-permissions", "--no-same-owner", "--no-xattrs")


async def tar(context: ProgramContext) -> int:
    """`tar [-]c|x|t[vmpohz] [f archive] [-C folder] [path…]`; `-` is standard input or output."""
    letters, values, names = _options(context)
    folder = context.path(values.get("C", "."))
    if "C" in values and not is_folder(context, folder):
        raise context.fail(1, f"tar: can't change directory to '{values['C']}': No such file or directory")
    here = context.with_(cwd=folder)
    archive = values.get("f", "-")
    if "c" in letters:
        data, code = _packed(here, names, "z" in letters)
        if archive == "-":
            context.out(data)
        else:
            context.host.files[context.path(archive)] = data
        return code
    packed = await context.stdin.read_all() if archive == "-" else read_file(context, context.path(archive))
    if packed is None:
        raise context.fail(1, f"tar: can't open '{archive}': No such file or directory")
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as opened:
            _unpack(here, opened, letters, names)
    except tarfile.TarError as error:
        raise context.fail(1, "tar: invalid tar magic" if packed else "tar: short read") from error
    return 0


def _options(context: ProgramContext) -> tuple[set[str], dict[str, str], list[str]]:
    """Letters, the values of f and C, and the other arguments. Raises Exit."""
    letters: set[str] = set()
    values: dict[str, str] = {}
    names: list[str] = []
    rest = [arg for arg in context.args if arg not in OWNERSHIP]
    first = True
    while rest:
        word = rest.pop(0)
        if first or (word.startswith("-") and word != "-"):  # the first word needs no dash
            for letter in word.removeprefix("-"):
                if letter not in LETTERS:
                    raise context.fail(1, f"tar: unrecognized option: {letter}")
                letters.add(letter)
                if letter in "fC":
                    values[letter] = rest.pop(0) if rest else "-"
        else:
            names.append(word)
        first = False
    if not letters & set("cxt"):
        raise context.fail(1, "tar: must specify one of: ctx")
    return letters, values, names


def _packed(context: ProgramContext, names: list[str], zipped: bool) -> tuple[bytes, int]:
    """An archive of files and folders with what is in them, and the exit status."""
    buffer, code = io.BytesIO(), 0
    busybox = context.image.flavour == "busybox"
    with tarfile.open(fileobj=buffer, mode="w:gz" if zipped else "w") as archive:
        for name in names:
            if name.startswith("/"):
                context.error(
                    "tar: removing leading '/' from member names"
                    if busybox
                    else "tar: Removing leading `/' from member names"
                )
            if not exists(context, context.path(name)):
                missing = "No such file or directory"
                context.error(f"tar: {name}: {missing}" if busybox else f"tar: {name}: Cannot stat: {missing}")
                code = 1 if busybox else 2
                continue
            _add(context, archive, name)
    if code:
        why = (
            "error exit delayed from previous errors"
            if busybox
            else "Exiting with failure status due to previous errors"
        )
        context.error(f"tar: {why}")
    return buffer.getvalue(), code


def _add(context: ProgramContext, archive: tarfile.TarFile, name: str) -> None:
    path = context.path(name)
    member = tarfile.TarInfo(name.lstrip("/") or ".")
    member.mtime = int(context.host.kernel.now())
    member.uname = member.gname = "root"
    content = read_file(context, path)
    if content is not None:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        return
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(member)
    for child in children(context, path):
        _add(context, archive, f"{name.rstrip('/')}/{child}")


def _unpack(context: ProgramContext, archive: tarfile.TarFile, letters: set[str], names: list[str]) -> None:
    """Write what an archive holds, or list it."""
    for member in archive:
        wanted = not names or any(member.name == name or member.name.startswith(f"{name}/") for name in names)
        if not wanted:
            continue
        if "t" in letters or "v" in letters:
            context.print(member.name)
        path = context.path(f"./{member.name}")
        if "t" in letters or path == "/":
            continue
        if member.isdir():
            if not is_folder(context, path):
                context.host.files[f"{path}/{KEPT}"] = b""
        elif member.isfile() and (content := archive.extractfile(member)) is not None:
            context.host.files[path] = content.read()
