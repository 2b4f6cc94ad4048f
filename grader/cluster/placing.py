"""Has a probe Pod run on each node of a cluster: look, add what is missing, look again."""

from __future__ import annotations

import time
from collections.abc import Callable

from grader.cluster import probes
from grader.cluster.provider import Progress
from grader.cluster.readiness import Lack, View, lacks, to_replace
from grader.errors import EnvironmentError_
from grader.kube.client import KubeApi
from grader.model.vantage import PROBE_NAMESPACE

READY_SECONDS = 180.0
LOOK_SECONDS = 0.25


def view_of(api: KubeApi) -> View:
    """Read the objects that readiness is told from. Raises as KubeApi does."""
    return View(
        nodes=api.list("nodes"),
        system=api.list("pods", "kube-system", labels="k8s-app in (kube-dns,kube-proxy)"),
        probes=api.list("pods", PROBE_NAMESPACE),
        namespaces=[found for found in (api.read("namespaces", PROBE_NAMESPACE),) if found is not None],
    )


def place_probes(
    api: KubeApi,
    image: str,
    progress: Progress,
    missing_of: Callable[[View], tuple[Lack, ...]] = lacks,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Have a probe Pod run on each node.

    Args:
        api: the cluster.
        image: what the Pods run.
        progress: is told each step.
        missing_of: what must be there before it is done.
        pause: waits for so many seconds.
        clock: seconds since some moment.

    Raises EnvironmentError_ ("cluster-stalled"), and as KubeApi does.
    """
    deadline = clock() + READY_SECONDS
    told = ""
    while True:
        view = view_of(api)
        found = {pod["metadata"]["name"]: pod for pod in view.probes}
        going = any(namespace["metadata"].get("deletionTimestamp") for namespace in view.namespaces)
        for node in view.nodes:
            name = probes.probe_name(node["metadata"]["name"])
            if going:
                break
            if name not in found:
                progress("probe-creating", {"pod": name})
                api.apply(probes.namespace())
                api.create(probes.probe(node["metadata"]["name"], image))
            elif to_replace(found[name], image):
                api.delete("pods", name, PROBE_NAMESPACE, grace_seconds=0)
        missing = missing_of(view)
        if not missing:
            return
        if clock() > deadline:
            raise EnvironmentError_("cluster-stalled", missing=missing[0], seconds=f"{READY_SECONDS:g}")
        if str(missing[0]) != told:
            told = str(missing[0])
            progress("cluster-waiting", {"missing": told})
        pause(LOOK_SECONDS)
