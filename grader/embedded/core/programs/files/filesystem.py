"""The container's file system as programs see it, and the tools that look at it.

`Host.files` is what Kubernetes mounted and what programs wrote; below it lies the image's own content, which is small.
"""

from __future__ import annotations

from datetime import UTC, datetime

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.images.files import FOLDERS, image_files
from grader.embedded.core.programs.images.users import name_of
from grader.embedded.core.programs.mounts import KEPT, OPEN, MountedFiles, folders
from grader.embedded.core.programs.process import Exit


def read_file(context: ProgramContext, path: str) -> bytes | None:
    """Return the content of a file by its absolute path, None where there is none."""
    if path == "/dev/null":
        return b""
    found = context.host.files.get(path)
    return found if found is not None else image_files(context.image, context.host).get(path)


def is_folder(context: ProgramContext, path: str) -> bool:
    """Whether the absolute path is a folder."""
    if path == "/" or path in FOLDERS:
        return True
    below = path.rstrip("/") + "/"
    if any(f"{folder}/".startswith(below) for folder in folders(context.host.files)):
        return True
    return any(name.startswith(below) for name in (*context.host.files, *image_files(context.image, context.host)))


def exists(context: ProgramContext, path: str) -> bool:
    """Whether the absolute path is a file or a folder."""
    return read_file(context, path) is not None or is_folder(context, path)


def children(context: ProgramContext, folder: str) -> list[str]:
    """Return the names in a folder, sorted."""
    below = folder.rstrip("/") + "/"
    files = context.host.files
    everything = (*files, *folders(files), *image_files(context.image, context.host), *FOLDERS)
    found = {name.removeprefix(below).split("/")[0] for name in everything if name.startswith(below)}
    return sorted(name for name in found if name and name != KEPT)


def _missing(context: ProgramContext, name: str) -> str:
    if context.image.flavour == "busybox" and context.name == "cat":
        return f"cat: can't open '{name}': No such file or directory"
    if context.image.flavour == "busybox":
        return f"{context.name}: {name}: No such file or directory"
    if context.name == "ls":
        return f"ls: cannot access '{name}': No such file or directory"
    return f"{context.name}: {name}: No such file or directory"


async def cat(context: ProgramContext) -> int:
    """`cat [-n] [file…]`."""
    asked = options.read(context, "nbuAeEtTv", {"number": "n", "show-all": "A", "show-ends": "E", "show-tabs": "T"})
    names = asked.rest or ["-"]
    shown = set("nbAeEtTv") & set(asked.given)
    code, line = 0, 0
    for name in names:
        if name == "-" and not shown:
            while data := await context.stdin.read():
                context.out(data)
            continue
        stdin = await context.stdin.read_all() if name == "-" else None
        content = read_file(context, context.path(name)) if stdin is None else stdin
        if content is None:
            folder = is_folder(context, context.path(name))
            reading = "read error: Is a directory" if context.image.flavour == "busybox" else f"{name}: Is a directory"
            context.error(f"cat: {reading}" if folder else _missing(context, name))
            code = 1
        elif shown:
            for text in content.decode(errors="replace").splitlines(keepends=True):
                counted = ("n" in shown and "b" not in shown) or ("b" in shown and text != "\n")
                line += counted
                context.out(f"{f'{line:6}' + chr(9) if counted else ''}{_visible(text, shown)}".encode())
        else:
            context.out(content)
    return code


def _visible(text: str, how: set[str]) -> str:
    """A line with what cannot be seen made visible: ends (`E`), tabs (`T`), control characters (`v`)."""
    body, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    if how & set("Avet"):
        body = "".join(f"^{chr(ord(char) ^ 64)}" if (ord(char) < 32 and char != "\t") or ord(char) == 127 else char
                       for char in body)  # fmt: skip
    if how & set("ATt"):
        body = body.replace("\t", "^I")
    return f"{body}{'$' if end and how & set('AEe') else ''}{end}"


async def ls(context: ProgramContext) -> int:
    """`ls [-1aAlhdrtnFp] [path…]`; all files are of one time, so that -t sorts nothing."""
    longs = {"all": "a", "almost-all": "A", "directory": "d", "reverse": "r", "human-readable": "h", "color": "1"}
    asked = options.read(context, "1aAlhdrtnFp", longs, code=1 if context.image.flavour == "busybox" else 2)
    flags, names = set(asked.given), asked.rest or ["."]
    flags |= {"l"} if "n" in flags else set()
    code = 0
    folders = [name for name in names if is_folder(context, context.path(name)) and "d" not in flags]
    for name in names:
        if not exists(context, context.path(name)):
            context.error(_missing(context, name))
            code = 1 if context.image.flavour == "busybox" else 2
    plain = [name for name in names if name not in folders and exists(context, context.path(name))]
    _list(context, "", plain, flags)
    for index, name in enumerate(folders):
        if len(names) > 1:
            context.print(*([""] if index or plain else []), f"{name}:")
        path = context.path(name)
        found = [entry for entry in children(context, path) if "a" in flags or "A" in flags or entry[0] != "."]
        found = found[::-1] if "r" in flags else found
        if "l" in flags:
            context.print("total 4" if found else "total 0")
        _list(context, path, [*([".", ".."] if "a" in flags else []), *found], flags)
    return code


def _list(context: ProgramContext, folder: str, names: list[str], flags: set[str]) -> None:
    if flags & {"F", "p"}:
        names = [f"{name}/" if is_folder(context, context.path(f"{folder}/{name}" if folder else name)) else name
                 for name in names]  # fmt: skip
    if "l" not in flags:
        if context.tty and "1" not in flags and names:
            context.print("  ".join(names))
        else:
            context.print(*names)
        return
    when = f"{datetime.fromtimestamp(context.host.kernel.now(), UTC):%b %e %H:%M}"
    for name in names:
        path = context.path(f"{folder}/{name}" if folder else name)
        directory = is_folder(context, path)
        size = 4096 if directory else len(read_file(context, path) or b"")
        mode, links = (_folder_mode(context, path), 2) if directory else ("-rw-r--r--", 1)
        user, group = _owner(context, path, numbers="n" in flags)
        if context.image.flavour == "busybox":
            context.print(f"{mode} {links:4} {user:8} {group:8} {size:9} {when} {name}")
        else:
            context.print(f"{mode} {links} {user} {group} {size:4} {when} {name}")


def _folder_mode(context: ProgramContext, path: str) -> str:
    if path in OPEN:
        return "drwxrwxrwt"
    mounts = context.host.files.mounts if isinstance(context.host.files, MountedFiles) else ()
    mount = next((mount for mount in mounts if mount.path == path), None)
    if mount is None or not mount.open:
        return "drwxr-xr-x"
    return "drwxrwxrwx" if mount.group is None else "drwxrwsrwx"


def _owner(context: ProgramContext, path: str, *, numbers: bool) -> tuple[str, str]:
    """The names of the user and the group that a file belongs to, or the numbers of those that have none."""
    files = context.host.files
    user, group = files.owner(path) if isinstance(files, MountedFiles) else (0, 0)
    if numbers:
        return str(user), str(group)
    return account(context, "passwd", user) or str(user), account(context, "group", group) or str(group)


def account(context: ProgramContext, table: str, number: int) -> str:
    """The name of a user (table passwd) or a group (group), "" where it has none."""
    return name_of((read_file(context, f"/etc/{table}") or b"").decode(errors="replace"), number)


async def touch(context: ProgramContext) -> int:
    """`touch file…`."""
    asked = options.read(context, "cam", {"no-create": "c"})
    if not asked.rest:
        raise context.fail(1, "touch: missing file operand")
    for name in asked.rest:
        path = context.path(name)
        if "c" not in asked:
            context.host.files.setdefault(path, read_file(context, path) or b"")
    return 0


async def rm(context: ProgramContext) -> int:
    """`rm [-rf] path…`."""
    asked = options.read(context, "rRfiv", {"recursive": "r", "force": "f", "verbose": "v"})
    flags, code = set(asked.given), 0
    for name in asked.rest:
        path = context.path(name)
        files = context.host.files
        if path in files:
            del files[path]
        elif is_folder(context, path) and flags & {"r", "R"}:
            for inner in [inner for inner in files if inner.startswith(path + "/")]:
                del files[inner]
        elif "f" not in flags:
            if context.image.flavour == "busybox":
                context.error(f"rm: can't remove '{name}': No such file or directory")
            else:
                context.error(f"rm: cannot remove '{name}': No such file or directory")
            code = 1
    return code


async def cp(context: ProgramContext) -> int:
    """`cp [-rRapf] source… target`, `mv [-f] source… target`."""
    longs = {"recursive": "r", "archive": "a", "force": "f", "verbose": "v"}
    asked = options.read(context, "fiv" if context.name == "mv" else "rRapfivdL", longs)
    names = asked.rest
    if len(names) < 2:
        raise context.fail(1, f"{context.name}: missing file operand")
    target = context.path(names[-1])
    for name in names[:-1]:
        content = read_file(context, context.path(name))
        if content is None and is_folder(context, context.path(name)):
            if context.name == "cp" and not set("rRa") & set(asked.given):
                why = "" if context.image.flavour == "busybox" else "-r not specified; "
                raise context.fail(1, f"cp: {why}omitting directory '{name}'")
            _copy_folder(context, context.path(name), target, name.rstrip("/").rsplit("/", 1)[-1])
            continue
        if content is None:
            raise context.fail(1, f"{context.name}: can't stat '{name}': No such file or directory")
        into = f"{target.rstrip('/')}/{name.rsplit('/', 1)[-1]}" if is_folder(context, target) else target
        context.host.files[into] = content
        if context.name == "mv":
            context.host.files.pop(context.path(name), None)
    return 0


def _copy_folder(context: ProgramContext, source: str, target: str, base: str) -> None:
    """Copy all that is in a folder to another place, which is made where there is none; `mv` takes it away."""
    into = f"{target.rstrip('/')}/{base}" if is_folder(context, target) else target
    below = f"{source.rstrip('/')}/"
    everything = {**image_files(context.image, context.host), **context.host.files}
    for path in [path for path in everything if path.startswith(below)]:
        context.host.files[f"{into}/{path.removeprefix(below)}"] = everything[path]
        if context.name == "mv":
            context.host.files.pop(path, None)


async def mkdir(context: ProgramContext) -> int:
    """`mkdir [-p] folder…`; a folder is kept by a hidden entry."""
    asked = options.read(context, "pm:v", {"parents": "p", "mode": "m", "verbose": "v"})
    if not asked.rest:
        raise context.fail(1, "mkdir: missing operand")
    for name in asked.rest:
        path = context.path(name)
        if exists(context, path):
            if "p" in asked:
                continue
            raise context.fail(1, f"mkdir: can't create directory '{name}': File exists")
        context.host.files[f"{path}/{KEPT}"] = b""
    return 0


async def tee(context: ProgramContext) -> int:
    """`tee [-a] file…`."""
    asked = options.read(context, "ai", {"append": "a"})
    names = [context.path(name) for name in asked.rest]
    files = context.host.files
    for path in names:
        if "a" not in asked:
            files[path] = b""
    while data := await context.stdin.read():
        context.out(data)
        for path in names:
            files[path] = files.get(path, b"") + data
    return 0


async def pwd(context: ProgramContext) -> int:
    """`pwd`."""
    options.read(context, "LP")
    context.print(context.cwd)
    return 0


async def basename(context: ProgramContext) -> int:
    """`basename [-a] [-s suffix] path [suffix]`, `dirname path…`; BusyBox' dirname has no options."""
    busybox = context.image.flavour == "busybox"
    if context.name == "dirname":
        paths = context.args if busybox else options.read(context, "").rest
        if not paths:
            raise _missing_operand(context, "FILENAME")
        for path in (word.rstrip("/") or "/" for word in paths):
            context.print(path.rpartition("/")[0] or ("/" if path.startswith("/") else "."))
        return 0
    usage = "basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE..."
    asked = options.read(context, "as:", {} if busybox else {"multiple": "a", "suffix": "s"}, usage=usage)
    paths, suffix = asked.rest, asked.last("s")
    if not paths:
        raise _missing_operand(context, usage)
    if not asked.given and len(paths) == 2:
        suffix = paths.pop()
    for path in paths:
        base = path.rstrip("/").rpartition("/")[2] or "/"
        context.print(base.removesuffix(suffix) if base != suffix else base)
    return 0


def _missing_operand(context: ProgramContext, usage: str) -> Exit:
    if context.image.flavour != "busybox":
        context.error(f"{context.name}: missing operand")
    return options.show_usage(context, f"{context.name} {usage.removeprefix('basename ')}")
