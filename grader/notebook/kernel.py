"""Which cluster the cells of this kernel use: kubectl in `!` and `%%bash` cells means it, and nothing outside does."""

from __future__ import annotations

import os

from grader.cluster import shell
from grader.cluster.info import ClusterInfo, load
from grader.kube.kubectl import environment


def use(cluster: ClusterInfo) -> ClusterInfo:
    """Point kubectl in `!` and `%%bash` cells of this kernel at a cluster; nothing outside the kernel changes.

    The kernel has a kubeconfig of its own, as a shell has: `start` sets the Namespace that plain kubectl means.
    Raises ClusterUnreachable where the cluster's kubeconfig cannot be read, OSError.
    """
    own = shell.folder() / f"kernel-{os.getpid()}" / "kubeconfig"
    if shell.own(cluster) != own:
        os.environ.update(environment(cluster.kubeconfig))
        shell.enter(own, cluster, shell.DEFAULT_NAMESPACE)
        os.environ["KUBECONFIG"] = shell.variable(own, cluster)
    return cluster


def current() -> ClusterInfo:
    """Find the cluster that cells use, and point kubectl at it. Raises ClusterMissing where none was brought up."""
    return use(load())
