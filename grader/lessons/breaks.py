"""A Markdown extension for the site: no space where the source breaks a line inside of a Japanese paragraph.

The sources break after each sentence, so that a change of one is seen as such; HTML takes a line break for a space.
Named in site/mkdocs.yml.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

from grader.lessons.markdown import without_breaks

AFTER_INLINE = 15
"""After the inline patterns (20), before the tree is laid out in lines (10)."""


class Joining(Treeprocessor):
    """Takes line breaks beside Japanese out of every text but code."""

    def run(self, root: Element) -> None:
        """Change the tree in place."""
        for element in root.iter():
            if element.text and element.tag not in ("code", "pre"):
                element.text = type(element.text)(without_breaks(element.text))
            if element.tail and element.tail.strip():
                element.tail = type(element.tail)(without_breaks(element.tail))


class BreaksExtension(Extension):
    """Registers `Joining`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name that Python-Markdown calls
        """Let `md` join lines."""
        md.treeprocessors.register(Joining(md), "japanese-breaks", AFTER_INLINE)


def makeExtension() -> Extension:  # noqa: N802 - the name that Python-Markdown looks for
    """Make the extension that a configuration names by this module."""
    return BreaksExtension()
