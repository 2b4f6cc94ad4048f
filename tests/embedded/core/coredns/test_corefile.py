"""Corefiles are read as CoreDNS reads them, or refused in its words."""

from __future__ import annotations

import re

import pytest

from grader.embedded.core.coredns.corefile import CorefileError, parse
from grader.embedded.core.settings import COREFILE


def test_kinds_corefile_has_its_directives() -> None:
    (block,) = parse(COREFILE, "Corefile", {})
    assert block.keys == [".:53"]
    assert [item.name for item in block.directives] == [
        "errors", "health", "ready", "kubernetes", "prometheus", "forward", "cache", "loop", "reload", "loadbalance",
    ]  # fmt: skip
    kubernetes = block.directives[3]
    assert kubernetes.args == ("cluster.local", "in-addr.arpa", "ip6.arpa")
    assert kubernetes.block[0] == (8, ("pods", "insecure"))


def test_several_blocks_comments_and_quotes() -> None:
    blocks = parse("a.test, b.test:53 {\n log # all of them\n}\nwhole.test\nerrors\n", "Corefile", {})
    assert [block.keys for block in blocks] == [["a.test", "b.test:53"], ["whole.test"]]
    assert blocks[0].directives[0].args == ()
    (quoted,) = parse('. {\n hosts "/etc/my hosts"\n}', "Corefile", {})
    assert quoted.directives[0].args == ("/etc/my hosts",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".:53 {\n    errors\n    foo bar\n}\n", "/C:3 - Error during parsing: Unknown directive 'foo'"),
        (".:53 {\n    errors\n    log\n", "/C:3 - Syntax error: Unexpected token 'log', expecting '}'"),
        (".:53 {\n    cache {\n  disable\n", "/C:3 - Error during parsing: Unexpected EOF"),
        (". {\n import x\n}", "/C:2 - Error during parsing: File to import not found: x"),
        (
            ". {\n import\n}",
            "/C:2 - Error during parsing: Wrong argument count or unexpected line ending after 'import'",
        ),
        (". {\n import a b\n}", "/C:2 - Error during parsing: Import takes only one argument (glob pattern or file)"),
        (". {\n import */*\n}", "/C:2 - Error during parsing: Glob pattern may only contain one wildcard (*), but has"),
        ("import /loop", "/loop:1 - Error during parsing: maximum file import depth (10000) exceeded"),
        ("(s) {\n import s\n}", "/C:3 - Error during parsing: maximum snippet import depth (10000) exceeded"),
        (
            "(s) {\n import t\n}\n(t) {\n import s\n}\n. {\n import s\n}",
            "/C:5 - Error during parsing: maximum snippet import depth (10000) exceeded",
        ),
        ("(s) {\n log\n}\n(s) {\n}", "/C:4 - Error during parsing: redeclaration of previously declared snippet s"),
        ("(s) {\n log\n", "/C:2 - Syntax error: Unexpected token 'log', expecting '}'"),
        ("(s)\nlog", "/C:2 - Syntax error: Unexpected token 'log', expecting '{'"),
        (". { forward " + "{ " * 100_000, "/C:1 - Error during parsing: Unexpected EOF"),
    ],
)
def test_what_is_wrong_is_told_as_coredns_does(text: str, message: str) -> None:  # the first two seen on kind
    with pytest.raises(CorefileError, match=f"^{re.escape(message)}"):
        parse(text, "/C", {"/loop": b"import /loop"})


def test_snippets_and_files_are_put_where_they_are_imported() -> None:
    files = {
        "/etc/coredns/one.conf": b"log\nerrors {\n  consolidate 5m a.*\n}\n",
        "/etc/coredns/zones/a.zone": b"a.test {\n  log\n}\n",
        "/etc/coredns/zones/b.zone": b"b.test {\n  import ../one.conf\n}\n",
        "/etc/coredns/zones/deeper/c.zone": b"c.test {\n}\n",
    }
    text = "(held) {\n  cache 30\n  import one.conf\n}\n.:53 {\n  import held\n  reload\n}\nimport zones/*.zone\n"
    blocks = parse(text, "/etc/coredns/Corefile", files)
    found = {block.keys[0]: [item.name for item in block.directives] for block in blocks}
    assert found == {".:53": ["cache", "log", "errors", "reload"], "a.test": ["log"], "b.test": ["log", "errors"]}
    assert blocks[0].directives[2].block[0][1] == ("consolidate", "5m", "a.*")
