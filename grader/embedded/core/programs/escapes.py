"""Backslash escapes, as echo, printf and the shell's `$'…'` have them."""

from __future__ import annotations

import re

_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "\\": "\\", "0": "\0",
}  # fmt: skip


def unescape(text: str) -> tuple[str, bool]:
    r"""Replace echo's escapes; whether `\c` said to stop."""
    stop = text.find("\\c")
    while stop > 0 and text[stop - 1] == "\\":
        stop = text.find("\\c", stop + 1)
    cut = text if stop < 0 else text[:stop]

    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0].isdigit():
            return chr(int(code, 8) & 0xFF)
        return _ESCAPES.get(code, match[0])

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,4}|.)", replace, cut), stop >= 0
