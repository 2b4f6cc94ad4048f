"""A real cluster on this machine: kind in Docker, with MetalLB, a probe on each node and a client outside."""

from grader.cluster.kind.provider import KindProvider

__all__ = ["KindProvider"]
