"""Every error that the product raises on purpose, cut by what the caller does next.

CourseError                    a message for a person: 何が・どこで・次に何を, from text/ja/errors.yaml
├── UsageError                 the person asked for something that does not exist (exit status 2)
├── ContentError               a lesson or exercise of the course is malformed: file, line, field (exit status 2)
├── ManifestError              a manifest the learner wrote cannot be read as YAML objects (exit status 1)
└── EnvironmentError_          the machine or the cluster cannot do its part; never the learner's fault (exit status 4)
    ├── ClusterMissing         no cluster has been brought up
    ├── ClusterUnreachable     a cluster is recorded but its API server does not answer
    └── ToolMissing            a program is not installed or not running (docker, kind, kubectl)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class CourseError(Exception):
    """A failure that is explained to a person.

    Attributes:
        code: key of the message in `text/ja/errors.yaml`.
        facts: values that the message names, by placeholder.
    """

    exit_status: ClassVar[int] = 2

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts: Mapping[str, str] = {key: str(value) for key, value in facts.items()}
        super().__init__(code, dict(self.facts))


class UsageError(CourseError):
    """The person asked for something that does not exist."""


def unknown_exercise(name: str, known: Sequence[str]) -> UsageError:
    """Say that there is no exercise of that name, with the nearest of those that are known."""
    from difflib import get_close_matches

    facts = {"exercise": name, "known": ", ".join(known)}
    if near := get_close_matches(name, known, n=1, cutoff=0.4):
        return UsageError("exercise-unknown-near", near=near[0], **facts)
    return UsageError("exercise-unknown", **facts)


class ContentError(CourseError):
    """A lesson or exercise folder is malformed; facts name file, line and field."""


class ManifestError(CourseError):
    """What the learner wrote cannot be read as Kubernetes objects."""

    exit_status = 1


class EnvironmentError_(CourseError):  # noqa: N801  (EnvironmentError is a builtin)
    """The machine or the cluster cannot do its part; never scored."""

    exit_status = 4


class ClusterMissing(EnvironmentError_):
    """No cluster has been brought up under this name."""


class ClusterUnreachable(EnvironmentError_):
    """A cluster is recorded but its API server does not answer."""


class ToolMissing(EnvironmentError_):
    """A program the command needs is not installed or not running."""
