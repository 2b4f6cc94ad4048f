"""`test` and `[` (POSIX test)."""

from __future__ import annotations

import re

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import is_folder, read_file
from grader.embedded.core.programs.images.running import available


class TestError(Exception):
    """The expression of `test` cannot be read."""

    __test__ = False


async def test(context: ProgramContext) -> int:
    """`test expression`, `[ expression ]`."""
    args = list(context.args)
    if context.name == "[" and (not args or args.pop() != "]"):
        raise context.fail(2, "[: missing ]")
    try:
        return 0 if evaluate_test(context, args) else 1
    except TestError as error:
        raise context.fail(2, f"{context.name}: {error}") from None


def evaluate_test(context: ProgramContext, args: list[str]) -> bool:
    """Return the truth of an expression (POSIX test). Raises TestError."""
    if not args:
        return False
    for joiner, rule in (("-o", any), ("-a", all)):
        if len(args) > 3 and joiner in args[1:-1]:
            at = args.index(joiner, 1)
            return rule([evaluate_test(context, args[:at]), evaluate_test(context, args[at + 1 :])])
    if len(args) == 3 and args[1] in _BINARY:
        return _binary(args[0], args[1], args[2])
    if args[0] == "!":
        return not evaluate_test(context, args[1:])
    if args[0] == "(" and args[-1] == ")":
        return evaluate_test(context, args[1:-1])
    if len(args) == 1:
        return bool(args[0])
    if len(args) == 2:
        return _unary(context, args[0], args[1])
    raise TestError(f"{args[1] if len(args) > 1 else args[0]}: unknown operand")


_BINARY = {"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"}


def _binary(left: str, operator: str, right: str) -> bool:
    if not operator.startswith("-"):
        return {"=": left == right, "==": left == right, "!=": left != right, "<": left < right, ">": left > right}[
            operator
        ]
    for value in (left, right):
        if not re.fullmatch(r"\s*[-+]?\d+\s*", value):
            raise TestError(f"{value}: bad number")
    a, b = int(left), int(right)
    return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[operator]


def _unary(context: ProgramContext, operator: str, value: str) -> bool:
    if operator == "-n":
        return bool(value)
    if operator == "-z":
        return not value
    if operator == "-t":
        return context.tty
    path = context.path(value)
    content = read_file(context, path)
    if operator == "-d":
        return is_folder(context, path)
    if operator == "-s":
        return bool(content)
    if operator in {"-f", "-e", "-r", "-w", "-x"}:
        if operator == "-x" and available(context.image, value) is not None:
            return True
        return content is not None or (operator != "-f" and is_folder(context, path))
    if operator in {"-L", "-h", "-b", "-c", "-p", "-S"}:
        return False
    raise TestError(f"{operator}: unknown operand")
