"""`sort`."""

from __future__ import annotations

import re

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.text import lines_of, options


async def sort(context: ProgramContext) -> int:
    """`sort [-nruVhfs] [-k field] [-t separator] [-o file]`."""
    given, names = options(context, "nruVhfbs", "kto")
    lines = await lines_of(context, names)
    separator = given["t"][0] if "t" in given else None
    keys = [_key(context, text) for text in given.get("k", [])] or [(0, 0, "")]

    def key(line: str) -> list[tuple[list[float | str], str]]:
        return [_rank(_part(line, separator, first, last), {*given, *modifiers}) for first, last, modifiers in keys]

    for at in reversed(range(len(keys))):
        turned = "r" in given or "r" in keys[at][2]
        lines.sort(key=lambda line, at=at: key(line)[at], reverse=turned)  # type: ignore[misc]
    if "u" in given:
        seen: dict[object, str] = {}
        for line in lines:
            seen.setdefault(tuple((tuple(rank), text) for rank, text in key(line)), line)
        lines = list(seen.values())
    if "o" in given:
        context.host.files[context.path(given["o"][-1])] = "".join(f"{line}\n" for line in lines).encode()
    else:
        context.print(*lines)
    return 0


def _key(context: ProgramContext, text: str) -> tuple[int, int, str]:
    """First and last field of `-k` (0: to the end), and letters of its own."""
    match = re.fullmatch(r"(\d+)([nrfbVh]*)(?:,(\d+)([nrfbVh]*))?", text)
    if match is None:
        raise context.fail(2, f"{context.name}: invalid key spec '{text}'")
    return int(match[1]), int(match[3] or 0), match[2] + (match[4] or "")


def _part(line: str, separator: str | None, first: int, last: int) -> str:
    if not first:
        return line
    return (separator or " ").join(line.split(separator)[first - 1 : last or None])


def _rank(text: str, how: set[str]) -> tuple[list[float | str], str]:
    if how & {"n", "h"}:
        number = re.match(r"\s*(-?\d*\.?\d+)([KMGT]?)", text)
        scale = 1024.0 ** "KMGT".find(number[2]) * 1024 if number and number[2] and "h" in how else 1.0
        return ([float(number[1]) * scale if number else 0.0], text)
    if "V" in how:
        pieces = re.findall(r"\d+|\D+", text)
        return ([f"0{int(piece):020}" if piece.isdigit() else f"1{piece}" for piece in pieces], text)
    return ([], text.lower() if "f" in how else text)
