"""Pages as the Pod and Service proxies hand them on; the second one's text is what kind's answered."""

from __future__ import annotations

import pytest

from grader.embedded.core.api.connect.htmllinks import rewrite_links


def rewritten(page: str) -> str:
    return rewrite_links(page, lambda link: f"/p{link}" if link.startswith("/") else link)


def test_links_are_rewritten_in_tags_alone_and_tags_are_written_as_go_writes_them() -> None:
    page = (
        '<!DOCTYPE html><HTML><!-- <a href="/c"> --><A HREF=/a class=x>t</A><img src="b.png"/>'
        '<script src=/s.js>var x="<a href=/no>";</script><a href="/q?a=1&amp;b=2">u</a>'
        '<form action="http://example.com/z"><input disabled></form></HTML>\n'
    )
    assert rewritten(page) == (
        '<!DOCTYPE html><html><!-- <a href="/c"> --><a href="/p/a" class="x">t</A><img src="b.png"/>'
        '<script src="/p/s.js">var x="<a href=/no>";</script><a href="/p/q?a=1&amp;b=2">u</a>'
        '<form action="http://example.com/z"><input disabled=""></form></HTML>\n'
    )


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("1 < 2 <br/> <3", "1 < 2 <br/> <3"),
        ('<meta charset="utf-8" />', '<meta charset="utf-8"/>'),
        ("<p a=/>", '<p a="/">'),
        ("<a href='/it&#39;s'>", '<a href="/p/it&#39;s">'),
        ("<title><a href=/x></title><a href=/y>", '<title><a href=/x></title><a href="/p/y">'),
        ("<link href=/x><b href=/x>", '<link href="/p/x"><b href="/x">'),
        ("<a href=/x", "<a href=/x"),
    ],
)
def test_what_is_no_whole_tag_stays(page: str, shown: str) -> None:
    assert rewritten(page) == shown
