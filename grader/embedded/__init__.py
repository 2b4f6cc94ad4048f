"""The embedded cluster: a small Kubernetes in one process, for machines without Docker."""
