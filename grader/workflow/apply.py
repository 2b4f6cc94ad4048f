"""Apply manifests the way a learner would, and keep what the API server said of each."""

from __future__ import annotations

from grader.cluster.info import ClusterInfo
from grader.model.evidence import ManifestResult


def apply_manifests(
    text: str, namespace: str, cluster: ClusterInfo, *, hostile: bool = False
) -> tuple[ManifestResult, ...]:
    """Apply every object of a YAML text into a namespace; one result an object, in order.

    Raises ManifestError (facts: line, column, reason) where the text cannot be read as objects at all,
    ClusterUnreachable where the API server does not answer.
    """
    raise NotImplementedError
