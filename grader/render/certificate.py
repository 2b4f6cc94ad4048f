"""A certificate as a page of HTML that prints on A4: no script, no request to any host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from grader.render.card import number
from grader.render.html import template
from grader.text import labels


@dataclass(frozen=True)
class Proved:
    """One exercise that passed.

    Attributes:
        lesson: number and title of its lesson.
        title: its title.
        proof: what the pass proved, "" where that was not kept.
        points: points reached.
        max_points: points possible.
        passed_on: the local day of the first pass.

    """

    lesson: str
    title: str
    proof: str
    points: float
    max_points: float
    passed_on: date


@dataclass(frozen=True)
class Certificate:
    """What a certificate says.

    Attributes:
        name: whose it is, "" for a line to write the name on.
        proved: the exercises that passed, in the order of the course.
        total: how many exercises the course has.

    """

    name: str
    proved: tuple[Proved, ...]
    total: int

    @property
    def complete(self) -> bool:
        """Whether every exercise of the course passed."""
        return len(self.proved) == self.total


def page(certificate: Certificate) -> str:
    """Lay a certificate out as a whole HTML page."""
    words = labels()
    state = "complete" if certificate.complete else "part"
    facts = {
        "passed": len(certificate.proved),
        "total": certificate.total,
        "points": number(sum(item.points for item in certificate.proved)),
        "day": f"{max(item.passed_on for item in certificate.proved):%Y-%m-%d}",
    }
    return template("certificate.html.j2").render(
        certificate=certificate,
        title=words[f"certificate.title.{state}"],
        lead=words[f"certificate.lead.{state}"].format(**facts),
        day=words["certificate.day"].format(**facts),
        words=words,
        number=number,
    )
