"""The fixtures that the examples use."""

from grader.embedded.testing import cluster, served_cluster

__all__ = ["cluster", "served_cluster"]
