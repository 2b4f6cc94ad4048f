"""Commands inside of sentences, put so that they work where they are read: in a terminal, or in a notebook's cell.

Catalogues and exercises write every command as a shell with `grader` on its PATH takes it; the edge that shows it makes
of it what its reader can type. Pure.
"""

from __future__ import annotations

import re

GRADER = "grader"
CELL_FUNCTIONS = frozenset({"check", "hint", "history", "reset", "solution", "start", "watch"})
"""Commands that a notebook has as functions; each takes an exercise id."""

_CALL = re.compile(r"(?<![\w./-])grader(?= (?:--|[a-z]))")
_SPAN = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^```(?:bash|sh)\n(?!%%bash\n)", re.MULTILINE)
_IN_A_SHELL = ("kubectl ", "dig ", "curl ")


def in_terminal(text: str, program: str) -> str:
    """Write every call of `grader` as it is typed in this terminal.

    Args:
        text: a sentence, or Markdown.
        program: what starts this program there, "grader" or ".venv/bin/grader".

    """
    return text if program == GRADER else _CALL.sub(lambda _: program, text)


def in_cell(text: str, program: str = GRADER) -> str:
    """Write every command as it is run in a notebook: `start("x")` for `grader start x`, `!kubectl …`, `%%bash` on top.

    Args:
        text: a sentence, or Markdown; commands are `code` in it, or a block of shell.
        program: what starts this program in a `!` line.

    """
    spans = _SPAN.sub(lambda match: f"`{_cell(match[1], program)}`", text)
    return _FENCE.sub("```bash\n%%bash\n", spans)


def _cell(command: str, program: str) -> str:
    if not _CALL.match(command):
        return f"!{command}" if command.startswith(_IN_A_SHELL) and len(command.split()) > 2 else command
    _, verb, *rest = command.split()
    if verb in CELL_FUNCTIONS and len(rest) == 1 and not rest[0].startswith("-"):
        return f'{verb}("{rest[0]}")'
    if verb == "solution" and rest[1:] == ["--yes"]:
        return f'solution("{rest[0]}", yes=True)'
    return f"!{in_terminal(command, program)}"
