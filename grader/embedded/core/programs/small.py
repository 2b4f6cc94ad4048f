"""Small tools that look at nothing but their arguments, environment and the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from grader.embedded.core.kernel import Event, TimeoutError_, sleep, turn, with_timeout
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.escapes import unescape
from grader.embedded.core.programs.files.filesystem import account
from grader.embedded.core.programs.images.running import available, load
from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.resolver import canonical_from_hosts
from grader.embedded.core.programs.signals import SIGINT, SIGTERM

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


async def true(context: ProgramContext) -> int:
    """`true`."""
    return 0


async def false(context: ProgramContext) -> int:
    """`false`."""
    return 1


async def pause(context: ProgramContext) -> int:
    """Run the pause image's program: wait for a signal."""
    await context.process.signalled(SIGTERM, SIGINT)
    return 0


async def entrypoint(context: ProgramContext) -> int:
    """Run curlimages/curl's entrypoint: a program of the image, or curl with all words as its arguments."""
    args = context.args
    if not args or args[0].startswith("-") or available(context.image, args[0]) is None:
        args = ["curl", *args]
    return await execute(context, args)


async def execute(context: ProgramContext, argv: list[str], not_found: int = 127) -> int:
    """Run another program with the same surroundings."""
    found = available(context.image, argv[0])
    if found is None:
        text = f"can't execute '{argv[0]}'" if context.image.flavour == "busybox" else f"'{argv[0]}'"
        raise context.fail(not_found, f"{context.name}: {text}: No such file or directory")
    try:
        return await load(found)(context.with_(argv=argv))
    except Exit as done:
        return done.code


async def echo(context: ProgramContext) -> int:
    """`echo [-neE] …`; dash's builtin always takes escapes."""
    args, newline = list(context.args), True
    escapes = context.image.shell == "dash"
    while args and re.fullmatch(r"-[neE]+", args[0]) and not (escapes and args[0] != "-n"):
        option = args.pop(0)
        newline = newline and "n" not in option
        escapes = "e" in option or (escapes and "E" not in option)
    text, stopped = unescape(" ".join(args)) if escapes else (" ".join(args), False)
    context.out((text + ("\n" if newline and not stopped else "")).encode())
    return 0


async def printf(context: ProgramContext) -> int:
    """`printf format …`."""
    if not context.args:
        raise context.fail(2, "printf: usage: printf format [arguments]")
    form, args = context.args[0], context.args[1:]
    problems: list[str] = []
    while True:
        text, used, stopped = _printf(context, form, args, problems)
        context.out(text.encode())
        context.error(*(f"printf: {problem}" for problem in problems))
        args = args[used:]
        if not args or not used or stopped or problems:
            return 1 if problems else 0


def _printf(context: ProgramContext, form: str, args: list[str], problems: list[str]) -> tuple[str, int, bool]:
    result, used = "", 0
    for piece in re.findall(r"%[-+ #0]*[*\d]*(?:\.\d+)?[a-zA-Z%]|[^%]+|%", form):
        if piece == "%%":
            result += "%"
        elif piece[0] != "%" or len(piece) == 1:
            text, stopped = unescape(piece)
            result += text
            if stopped:
                return result, used, True
        elif piece[-1] not in "diuxXofeEgGbsc" or "*" in piece:
            ash = context.image.shell not in {"dash", "bash"}
            problems.append(f"{piece}: invalid {'format' if ash else 'directive'}")
            return result, used, True
        else:
            value = args[used] if used < len(args) else ""
            used += 1
            result += _formatted(piece, value, problems)
    return result, min(used, len(args)), False


def _formatted(piece: str, value: str, problems: list[str]) -> str:
    kind, spec = piece[-1], piece[:-1]
    if kind in "diuxXo":
        known = re.fullmatch(r"[-+]?(0x[0-9a-fA-F]+|0[0-7]+|\d+)", value)
        if value and not known and not (value[0] in "'\"" and len(value) > 1):
            problems.append(f"invalid number '{value}'")
        if known:
            sign, digits = (-1, value[1:]) if value[0] == "-" else (1, value.lstrip("+"))
            octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
            number = sign * int(digits, 8 if octal else 0)
        else:
            number = ord(value[1]) if len(value) > 1 and value[0] in "'\"" else 0
        return (spec + ("d" if kind in "iu" else kind)) % number
    if kind in "feEgG":
        real = re.fullmatch(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", value)
        if value and not real:
            problems.append(f"invalid number '{value}'")
        return (spec + kind) % (float(value) if real else 0.0)
    if kind == "b":
        return unescape(value)[0]
    return (spec + "s") % (value[:1] if kind == "c" else value)


async def env(context: ProgramContext) -> int:
    """`env [NAME=value…] [command]`, `printenv [name…]`."""
    if context.name == "printenv" and context.args:
        missing = [name for name in context.args if name not in context.env]
        context.print(*(context.env[name] for name in context.args if name in context.env))
        return 1 if missing else 0
    words = ["-i" if word == "-" else word for word in context.args[:1]] + context.args[1:]
    longs = {"ignore-environment": "i", "unset": "u"}
    code = 1 if context.image.flavour == "busybox" else 125
    asked = options.read(context.with_(argv=[context.argv[0], *words]), "iu:", longs, stop=True, code=code)
    values, args = {} if "i" in asked else dict(context.env), list(asked.rest)
    for name in asked.given.get("u", []):
        values.pop(name, None)
    while args and "=" in args[0]:
        name, _, value = args.pop(0).partition("=")
        values[name] = value
    if args:
        return await execute(context.with_(env=values), args)
    context.print(*(f"{name}={value}" for name, value in values.items()))
    return 0


async def hostname(context: ProgramContext) -> int:
    """`hostname [-i] [-f] [-s] [-d]`."""
    longs = {"ip-address": "i", "all-ip-addresses": "I", "fqdn": "f", "long": "f", "short": "s", "domain": "d"}
    asked = options.read(context, "ifsd" if context.image.flavour == "busybox" else "iIfsd", longs)
    if asked.rest:
        verb = "sethostname" if context.image.flavour == "busybox" else "you must be root to change the host name"
        denied = f"{verb}: Operation not permitted" if context.image.flavour == "busybox" else verb
        raise context.fail(1, f"hostname: {denied}")
    if "i" in asked or "I" in asked:
        context.print(context.host.ip)
    elif "f" in asked:
        context.print(canonical_from_hosts(context.host, context.host.hostname))
    elif "s" in asked:
        context.print(context.host.hostname.partition(".")[0])
    elif "d" in asked:
        context.print(canonical_from_hosts(context.host, context.host.hostname).partition(".")[2])
    else:
        context.print(context.host.hostname)
    return 0


def seconds(text: str) -> float | None:
    """Return a time such as `1.5`, `10s` or `2m` in seconds; None where it is none."""
    match = re.fullmatch(r"(\d*\.?\d+|\d+\.)([smhd]?)", text)
    return float(match[1]) * _UNITS[match[2]] if match else None


async def sleep_(context: ProgramContext) -> int:
    """`sleep number[smhd]…`."""
    total = 0.0
    if not context.args:
        raise context.fail(1, "sleep: missing operand")
    for arg in context.args:
        if arg in {"inf", "infinity"}:
            await Event().wait()
        value = seconds(arg)
        if value is None:
            text = f"invalid number '{arg}'" if context.image.flavour == "busybox" else f"invalid time interval '{arg}'"
            raise context.fail(1, f"sleep: {text}")
        total += value
    await sleep(total)
    return 0


async def date(context: ProgramContext) -> int:
    """`date [-uR] [-I…] [-d @seconds] [+format]`."""
    now = context.host.kernel.now()
    words = ["-I" if word.startswith("-I") else word for word in context.args]
    longs = {"utc": "u", "universal": "u", "date": "d", "iso-8601": "I", "rfc-email": "R", "rfc-2822": "R"}
    asked = options.read(context.with_(argv=[context.argv[0], *words]), "uRId:", longs)
    if "d" in asked:
        given = re.fullmatch(r"@(\d+)|now", asked.last("d"))
        if given is None:
            raise context.fail(1, f"date: invalid date '{asked.last('d')}'")
        now = float(given[1]) if given[1] else now
    moment = datetime.fromtimestamp(now, UTC)
    if "R" in asked:
        context.print(f"{moment:%a, %d %b %Y %H:%M:%S +0000}")
        return 0
    for arg in context.args:
        if arg.startswith("+"):
            form = arg[1:].replace("%s", str(int(now))).replace("%N", f"{int(now % 1 * 1e9):09}")
            context.print(moment.strftime(form.replace("%Z", "UTC").replace("%:z", "+00:00")))
            return 0
        if arg.startswith(("-I", "--iso")):
            context.print(f"{moment:%Y-%m-%dT%H:%M:%S+00:00}" if "s" in arg else f"{moment:%Y-%m-%d}")
            return 0
    context.print(f"{moment:%a %b %e %H:%M:%S} UTC {moment:%Y}")
    return 0


async def seq(context: ProgramContext) -> int:
    """`seq [-w] [-s separator] [first [step]] last`."""
    words = [f" {word}" if re.fullmatch(r"-\d+(\.\d+)?", word) else word for word in context.args]
    longs = {"equal-width": "w", "separator": "s"}
    asked = options.read(context.with_(argv=[context.argv[0], *words]), "ws:", longs)
    args = [word.strip() for word in asked.rest]
    if not args or len(args) > 3 or not all(re.fullmatch(r"-?\d+(\.\d+)?", arg) for arg in args):
        raise context.fail(1, "seq: invalid number" if args else "seq: missing operand")
    numbers = [float(arg) if "." in arg else int(arg) for arg in args]
    first, step, last = (1, 1, *numbers) if len(numbers) == 1 else (
        (numbers[0], 1, numbers[1]) if len(numbers) == 2 else tuple(numbers)
    )  # fmt: skip
    width = max(len(str(first)), len(str(last))) if "w" in asked else 0
    value, begun = first, False
    while step and (value <= last if step > 0 else value >= last):
        shown = (f"{value:g}" if isinstance(value, float) else str(value)).zfill(width)
        context.out((asked.last("s", "\n") if begun else "").encode() + shown.encode())
        value, begun = value + step, True
        await turn()
    context.out(b"\n" if begun else b"")
    return 0


async def uname(context: ProgramContext) -> int:
    """`uname [-asnrm]`."""
    longs = {"all": "a", "kernel-name": "s", "nodename": "n", "kernel-release": "r", "machine": "m"}
    flags = "".join(options.read(context, "asnrvmo", longs).given) or "s"
    parts = {
        "s": "Linux", "n": context.host.hostname, "r": "6.12.0", "v": "#1 SMP PREEMPT_DYNAMIC", "m": "x86_64",
        "o": "Linux" if context.image.flavour == "busybox" else "GNU/Linux",
    }  # fmt: skip
    context.print(" ".join(parts[key] for key in parts if key in flags or "a" in flags))
    return 0


async def id_(context: ProgramContext) -> int:
    """`id [-ugGn]` of who runs it, `whoami` (BusyBox coreutils/id.c, GNU coreutils src/id.c and src/whoami.c)."""
    user, busybox = context.user, context.image.flavour == "busybox"
    name = account(context, "passwd", user.uid)
    if context.name == "whoami":
        options.read(context, "")
        if not name:
            nobody = "unknown uid" if busybox else "cannot find name for user ID"
            raise context.fail(1, f"whoami: {nobody} {user.uid}")
        context.print(name)
        return 0
    asked = options.read(context, "ugGnr")
    if asked.rest and asked.rest != [name]:
        shown = f"unknown user {asked.rest[0]}" if busybox else f"‘{asked.rest[0]}’: no such user"  # noqa: RUF001
        raise context.fail(1, f"id: {shown}")
    groups = user.groups if busybox else (user.gid, *(number for number in user.groups if number != user.gid))
    ids = {"u": (("passwd", user.uid),), "g": (("group", user.gid),), "G": tuple(("group", each) for each in groups)}
    letter = next((letter for letter in asked.given if letter in ids), None)
    if letter is None:
        shown = ",".join(_numbered(context, "group", number) for number in groups)
        of_user, of_group = _numbered(context, "passwd", user.uid), _numbered(context, "group", user.gid)
        context.print(f"uid={of_user} gid={of_group} groups={shown}")
        return 0
    words = [(account(context, *item) if "n" in asked else "") or str(item[1]) for item in ids[letter]]
    context.print(" ".join(words))
    nameless = [item[1] for item in ids[letter] if "n" in asked and not account(context, *item)]
    what = "user" if letter == "u" else "group"
    for number in nameless:
        context.error(f"id: unknown ID {number}" if busybox else f"id: cannot find name for {what} ID {number}")
    return 1 if nameless else 0


def _numbered(context: ProgramContext, table: str, number: int) -> str:
    name = account(context, table, number)
    return f"{number}({name})" if name else str(number)


async def timeout(context: ProgramContext) -> int:
    """`timeout [-s signal] [-k time] seconds command…`; 124 when time is up (143 where busybox says so)."""
    busybox = context.image.flavour == "busybox"
    old = context.image.name == "busybox" and context.image.older_than(1, 30)
    longs = {"signal": "s", "kill-after": "k", "preserve-status": "p", "foreground": "f", "verbose": "v"}
    letters = "s:t:" if old else "s:k:" if busybox else "s:k:pfv"
    asked = options.read(context, letters, {} if busybox else longs, stop=True, code=1 if busybox else 125)
    args = [*([asked.last("t", "10")] if old else []), *asked.rest]
    limit = seconds(args[0]) if args else None
    if limit is None or len(args) < 2:
        raise context.fail(1 if context.image.flavour == "busybox" else 125, "timeout: missing operand")
    try:
        return await with_timeout(limit or None, execute(context, args[1:]))
    except TimeoutError_:
        return 143 if context.image.flavour == "busybox" else 124


async def yes(context: ProgramContext) -> int:
    """`yes [text]`."""
    words = context.args if context.image.flavour == "busybox" else options.read(context, "").rest
    text = " ".join(words) or "y"
    while True:
        context.print(text)
        await turn()


async def nproc(context: ProgramContext) -> int:
    """`nproc`."""
    options.read(context, "a", {"all": "a"})
    context.print("2")
    return 0


async def which(context: ProgramContext) -> int:
    """`which name…`."""
    code = 0
    for name in options.read(context, "a").rest:
        if available(context.image, name) is None:
            code = 1
        else:
            context.print(f"/bin/{name}" if name in {"sh", "cat", "ls", "echo"} else f"/usr/bin/{name}")
    return code


async def clear(context: ProgramContext) -> int:
    """`clear`, which has options in ncurses only."""
    if context.image.flavour != "busybox" and context.args:
        letter = context.args[0][1:2] or context.args[0]
        raise context.fail(1, f"clear: invalid option -- '{letter}'", "Usage: clear [options]")
    context.out(b"\x1b[H\x1b[J")
    return 0


async def busybox(context: ProgramContext) -> int:
    """`busybox [applet …]`."""
    if context.args and available(context.image, context.args[0]) and not context.args[0].startswith("-"):
        return await execute(context, context.args)
    if context.args and context.args[0] != "--list":
        raise context.fail(127, f"{context.args[0]}: applet not found")
    if not context.args:
        context.print(f"BusyBox v{context.image.version} multi-call binary.", "", "Currently defined functions:")
    context.print(*sorted(context.image.programs - {"busybox"}))
    return 0
