"""Links in HTML, as the API server's Pod and Service proxies rewrite them.

Which attributes hold addresses: k8s.io/apimachinery v0.36.3 pkg/util/proxy/transport.go (atomsToAttrs). How
a page falls into tags, and how a start tag is written again: golang.org/x/net v0.49.0 html/token.go.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

_LINKS: dict[str, frozenset[str]] = {
    tag: frozenset(names.split())
    for tag, names in {
        "a": "href", "applet": "codebase", "area": "href", "audio": "src", "base": "href", "blockquote": "cite",
        "body": "background", "button": "formaction", "command": "icon", "del": "cite", "embed": "src",
        "form": "action", "frame": "longdesc src", "head": "profile", "html": "manifest", "iframe": "longdesc src",
        "img": "longdesc src usemap", "input": "src usemap formaction", "ins": "cite", "link": "href",
        "object": "classid codebase data usemap", "q": "cite", "script": "src", "source": "src", "video": "poster src",
    }.items()
}  # fmt: skip
_RAW = frozenset("iframe noembed noframes noscript plaintext script style textarea title xmp".split())
"""Elements in which nothing is a tag but their own end."""

_TOKEN = re.compile(
    r"""<!--(?:>|->|.*?(?:--!?>|\Z))|<[!?][^>]*>?|</[^>]*>?
    |<(?P<name>[A-Za-z][^\s/>]*)(?P<attributes>(?:[\s/]+|=?[^\s/>=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"'][^\s>]*)?)?)*)>""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<key>=?[^\s/>=]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^\s>"'][^\s>]*))?)?"""
)
_ESCAPES = str.maketrans({"&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "\r": "&#13;"})


def rewrite_links(page: str, rewrite: Callable[[str], str]) -> str:
    """A page with each address in it rewritten, and its start tags written as Go writes them.

    Args:
        page: the HTML.
        rewrite: what becomes of an address.
    """
    return "".join(_pieces(page, rewrite))


def _pieces(page: str, rewrite: Callable[[str], str]) -> Iterator[str]:
    at = 0
    while found := _TOKEN.search(page, at):
        yield page[at : found.start()]
        at = found.end()
        if found["name"] is None:
            yield found[0]
            continue
        name = found["name"].lower()
        yield _start_tag(name, found["attributes"], rewrite)
        if name in _RAW:
            end = re.compile(rf"</{name}(?=[\s/>])" if name != "plaintext" else r"\Z", re.IGNORECASE).search(page, at)
            until = end.start() if end else len(page)
            yield page[at:until]
            at = until
    yield page[at:]


def _start_tag(name: str, attributes: str, rewrite: Callable[[str], str]) -> str:
    links = _LINKS.get(name, frozenset())
    written = [name]
    last = ""
    for found in _ATTRIBUTE.finditer(attributes):
        key = found["key"].lower()
        value = html.unescape(next((part for part in (found["double"], found["single"], found["plain"]) if part), ""))
        if key in links:
            value = rewrite(value)
        written.append(f'{key}="{value.translate(_ESCAPES)}"')
        last = found[0]
    closed = attributes.endswith("/") and not (last.endswith("/") and attributes.endswith(last))
    return f"<{' '.join(written)}{'/' if closed else ''}>"
