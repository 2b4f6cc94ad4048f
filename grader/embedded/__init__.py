"""The embedded cluster: a small Kubernetes in one process, for machines without Docker."""

OUTSIDE = "/embedded/v1/outside"
"""Path of its API server below which its outside client is asked."""
HOST_PORTS = "/embedded/v1/host-ports"
"""Path of its API server that tells at which address of the learner's host each node port is."""
