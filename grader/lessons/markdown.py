"""Small transformations of Markdown text: headings, blockquotes that become admonitions, front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_FENCE = re.compile(r"^\s*(```+|~~~+)")
_HEADING = re.compile(r"^(#{1,6}) ")
WIDE = "[\u3000-\u30ff\u3400-\u9fff\uff01-\uff60]"
"""A character of Japanese, which no space parts from what stands beside it."""
_BETWEEN = re.compile(f"(?<={WIDE})\n *|\n *(?={WIDE})")
_PARAGRAPH = re.compile(r"(?![#>|<]|[-*+] |\d+\. |\s|$)")
_QUOTE_TITLE = re.compile(r"^> \*\*(?P<title>[^*]+)\*\*\s*$")


def outside_fences(text: str) -> Iterator[tuple[str, bool]]:
    """Give each line, and whether it lies outside fenced code (fence lines count as inside)."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match and not fence:
            fence = match[1]
            yield line, False
        elif match and match[1][0] == fence[0] and len(match[1]) >= len(fence):
            fence = ""
            yield line, False
        else:
            yield line, not fence


def without_breaks(text: str) -> str:
    """Take line breaks out of a paragraph's text where Japanese is on either side: HTML shows a space there."""
    return _BETWEEN.sub("", text)


def joined(text: str) -> str:
    """Join the lines of each paragraph of Markdown like `without_breaks`; code, lists, tables and HTML stay."""
    result: list[str] = []
    before: str | None = None
    for line, outside in outside_fences(text):
        quote = "> " if line.startswith("> ") else ""
        body = line.removeprefix(quote)
        plain = outside and bool(_PARAGRAPH.match(body))
        if plain and before == quote:
            result[-1] = without_breaks(f"{result[-1]}\n{body}").replace("\n", f"\n{quote}")
        else:
            result.append(line)
        before = quote if plain else None
    return "\n".join(result)


def shift_headings(text: str, by: int) -> str:
    """Put headings `by` levels deeper, never deeper than 6; code is left alone."""

    def shifted(line: str) -> str:
        match = _HEADING.match(line)
        return "#" * min(6, len(match[1]) + by) + line[len(match[1]) :] if match else line

    return "\n".join(shifted(line) if outside else line for line, outside in outside_fences(text))


def admonitions(text: str, kinds: Mapping[str, str]) -> str:
    """Turn blockquotes headed by a bold known title into MkDocs admonitions; other blockquotes stay.

    Args:
        text: Markdown.
        kinds: title → admonition type, "予想してみよう" → "question".

    """
    lines = list(outside_fences(text))
    result: list[str] = []
    index = 0
    while index < len(lines):
        line, outside = lines[index]
        match = _QUOTE_TITLE.match(line) if outside else None
        if not match or match["title"] not in kinds:
            result.append(line)
            index += 1
            continue
        result.append(f'!!! {kinds[match["title"]]} "{match["title"]}"')
        index += 1
        while index < len(lines) and lines[index][0].startswith(">"):
            body = lines[index][0].removeprefix(">").removeprefix(" ")
            result.append(f"    {body}".rstrip())
            index += 1
    return "\n".join(result)


def fenced(text: str, language: str) -> str:
    """Put text into a fenced code block whose fence no line of the text closes."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def indented(text: str) -> str:
    """Put four spaces before every line that is not empty, as the body of an admonition or tab."""
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def without_title(text: str) -> str:
    """Take off the first `# ` heading and the empty lines around the text."""
    lines: list[str] = []
    found = False
    for line, outside in outside_fences(text):
        if outside and not found and line.startswith("# "):
            found = True
        else:
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


def title_of(text: str) -> str:
    """Find the first `# ` heading, "" where there is none."""
    return next((line[2:].strip() for line, outside in outside_fences(text) if outside and line.startswith("# ")), "")
