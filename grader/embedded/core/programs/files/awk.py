"""`awk`, as far as printing fields goes: `[/pattern/] {print $1, "text"}`."""

from __future__ import annotations

import re

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.text import lines_of, options

_TOKENS = r'\$\d+|\$NF|NR|NF|"[^"]*"'


async def awk(context: ProgramContext) -> int:
    """`awk [-F separator] '[/pattern/] {print $1, "text"}'`: printing fields, nothing more."""
    given, names = options(context, "", "Fv")
    if not names:
        raise context.fail(1, "awk: no program text")
    program = names.pop(0).strip()
    condition = r"(?:/((?:\\.|[^/])*)/|(NR\s*[<>=!]=?\s*\d+)|(END))?"
    match = re.fullmatch(condition + r"\s*(?:\{\s*print\s*(.*?)\s*;?\s*\})?", program)
    if match is None:
        raise context.fail(2, f"awk: this program is beyond the emulated awk: {program}")
    separator = given["F"][-1] if "F" in given else None
    variables = dict(word.partition("=")[::2] for word in given.get("v", []))
    known = "|".join([_TOKENS, *map(re.escape, variables)])
    for item in re.split(r",\s*", re.sub(r'"[^"]*"', '""', match[4] or "")):
        if not re.fullmatch(rf"(?:\s*(?:{known})\s*)*", item):
            raise context.fail(2, f"awk: this program is beyond the emulated awk: {program}")
    lines = await lines_of(context, names)
    for number, line in enumerate(lines, 1):
        if match[1] is not None and not re.search(match[1], line):
            continue
        if match[2] and not _compare(number, match[2]):
            continue
        if match[3] and number < len(lines):
            continue
        fields = line.split(separator) if separator != " " else line.split()
        context.print(_awk_print(match[4] or "$0", line, fields, len(lines) if match[3] else number, variables))
    return 0


def _compare(number: int, test: str) -> bool:
    found = re.fullmatch(r"NR\s*([<>=!]=?)\s*(\d+)", test)
    if found is None:
        return False
    other = int(found[2])
    return {"<": number < other, ">": number > other, "==": number == other, "!=": number != other,
            "<=": number <= other, ">=": number >= other}.get(found[1], False)  # fmt: skip


def _awk_print(expression: str, line: str, fields: list[str], number: int, variables: dict[str, str]) -> str:
    def value(token: str) -> str:
        if token in variables:
            return variables[token]
        if token == "$0":
            return line
        if token == "$NF":
            return fields[-1] if fields else ""
        if token in {"NR", "NF"}:
            return str(number if token == "NR" else len(fields))
        if token.startswith("$"):
            index = int(token[1:])
            return fields[index - 1] if index <= len(fields) else ""
        return token[1:-1].replace("\\t", "\t").replace("\\n", "\n") if token.startswith('"') else ""

    tokens = "|".join([_TOKENS, *map(re.escape, variables)])
    items = re.split(r",\s*", expression)
    return " ".join("".join(value(token) for token in re.findall(tokens, item)) for item in items)
