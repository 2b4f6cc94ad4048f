"""Corefiles are read as CoreDNS reads them, or refused in its words."""

from __future__ import annotations

import re

import pytest

from grader.embedded.core.coredns.corefile import CorefileError, parse
from grader.embedded.core.settings import COREFILE


def test_kinds_corefile_has_its_directives() -> None:
    (block,) = parse(COREFILE, "Corefile")
    assert block.keys == [".:53"]
    assert [item.name for item in block.directives] == [
        "errors", "health", "ready", "kubernetes", "prometheus", "forward", "cache", "loop", "reload", "loadbalance",
    ]  # fmt: skip
    kubernetes = block.directives[3]
    assert kubernetes.args == ("cluster.local", "in-addr.arpa", "ip6.arpa")
    assert kubernetes.block[0] == (8, ("pods", "insecure"))


def test_several_blocks_comments_and_quotes() -> None:
    blocks = parse("a.test, b.test:53 {\n log # all of them\n}\nwhole.test\nerrors\n", "Corefile")
    assert [block.keys for block in blocks] == [["a.test", "b.test:53"], ["whole.test"]]
    assert blocks[0].directives[0].args == ()
    (quoted,) = parse('. {\n hosts "/etc/my hosts"\n}', "Corefile")
    assert quoted.directives[0].args == ("/etc/my hosts",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".:53 {\n    errors\n    foo bar\n}\n", "/C:3 - Error during parsing: Unknown directive 'foo'"),
        (".:53 {\n    errors\n    log\n", "/C:3 - Syntax error: Unexpected token 'log', expecting '}'"),
        (".:53 {\n    cache {\n  disable\n", "/C:3 - Error during parsing: Unexpected EOF"),
        (". {\n import x\n}", "/C:2 - Error during parsing: 'import' is not emulated here"),
    ],
)
def test_what_is_wrong_is_told_as_coredns_does(text: str, message: str) -> None:  # the first two seen on kind
    with pytest.raises(CorefileError, match=f"^{re.escape(message)}"):
        parse(text, "/C")
