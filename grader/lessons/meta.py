"""The front matter of the site's pages: what a search engine shows of one, and the words under which it is found."""

from __future__ import annotations

import re
from collections.abc import Collection

import yaml

from grader.lessons.markdown import without_title
from grader.model.exercise import Exercise
from grader.text import catalogue

LONGEST = 120
"""Characters of a description; search engines cut what is longer."""


def front_matter(description: str, topics: Collection[str] = ()) -> str:
    """Write the YAML block that MkDocs takes off a page: `description`, and `tags` for the site's search."""
    data: dict[str, object] = {"description": description}
    if topics:
        data["tags"] = list(topics)
    return f"---\n{yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000)}---\n\n"


def lesson_meta(slug: str) -> str:
    """Give the front matter of a lesson's page, "" for a lesson that the catalogue `pages` does not have."""
    entry = catalogue("pages").get(slug)
    return front_matter(entry["description"], entry["topics"]) if entry else ""


def exercise_meta(exercise: Exercise) -> str:
    """Give the front matter of an exercise's page: how its task begins."""
    return front_matter(shortened(without_title(exercise.task).split("\n\n")[0]))


def shortened(paragraph: str) -> str:
    """Give the first sentences of a paragraph of Markdown as plain text, at least one, up to LONGEST characters."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraph).replace("`", "").replace("**", "").replace("\n", "")
    sentences = re.findall(r"[^。]*。|[^。]+$", plain)
    ends = [sum(map(len, sentences[:number])) for number in range(2, len(sentences) + 1)]
    return plain[: max((end for end in ends if end <= LONGEST), default=len(sentences[0]))]
