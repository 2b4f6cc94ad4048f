"""Brings a running kind cluster to what the exercises need: look, add what is missing, look again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.cluster import probes
from grader.cluster.kind import addresses, config, metallb, outside
from grader.cluster.kind.options import KindOptions
from grader.cluster.kind.tools import LABEL_POOL, Container, Docker
from grader.cluster.provider import Progress
from grader.cluster.readiness import Lack, View, age_seconds, lacks, running, to_replace, why_not_running
from grader.errors import ClusterUnreachable, EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi
from grader.model.vantage import PROBE_NAMESPACE

API_SECONDS = 90.0  # nodes that were stopped take about 20 s to serve again
STALL_SECONDS = 300.0  # without any change, images that are downloaded included
LOOK_SECONDS = 0.25
ANSWER_SECONDS = 5.0


class Converger:
    """One cluster on its way to being ready. Used for one `up`, then thrown away."""

    def __init__(
        self,
        docker: Docker,
        name: str,
        nodes: tuple[Container, ...],
        wished: KindOptions,
        kubeconfig: Path,
        progress: Progress,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is done yet. Raises ClusterUnreachable where the kubeconfig cannot be used."""
        self._docker, self._name, self._wished, self._progress = docker, name, wished, progress
        self._started = {node.name: node.started for node in nodes}
        self._network = nodes[0].networks[0] if nodes and nodes[0].networks else ""
        self._api = KubeApi(kubeconfig, timeout=ANSWER_SECONDS)
        self._pause, self._clock = pause, clock
        self._told = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._api.close()

    def run(self) -> str:
        """Add what is missing until nothing is; the API server's version.

        Raises ClusterUnreachable where the API server does not come to answer, EnvironmentError_ ("cluster-stalled",
        "image-missing", ...) where something is not to be had.
        """
        version = self._wait_for_api()
        deadline, before = self._clock() + STALL_SECONDS, ""
        while missing := self._step():
            now = " ".join(map(str, missing))
            if now != before:
                deadline, before = self._clock() + STALL_SECONDS, now
            self._tell("cluster-waiting", {"missing": str(missing[0])})
            if self._clock() > deadline:
                raise EnvironmentError_("cluster-stalled", missing=missing[0], seconds=f"{STALL_SECONDS:g}")
            self._pause(LOOK_SECONDS)
        return version

    def view(self) -> View:
        """Read the objects that readiness is told from. Raises as KubeApi does."""
        return View(
            nodes=self._api.list("nodes"),
            leases=self._api.list("leases", "kube-node-lease"),
            system=self._api.list("pods", "kube-system", labels="k8s-app in (kube-dns,kube-proxy)"),
            probes=self._api.list("pods", PROBE_NAMESPACE),
            namespaces=[
                found
                for name in (PROBE_NAMESPACE, metallb.NAMESPACE)
                if (found := self._api.read("namespaces", name)) is not None
            ],
            started=self._started,
        )

    def parts_missing(self) -> tuple[Lack, ...]:
        """What is missing of load balancer and outside client, changing nothing."""
        missing = self._load_balancer_lacks()
        if self._pool_in_use() is None:
            missing.append(Lack("load-balancer", "IPAddressPool", "missing"))
        if not outside.answers(self._docker, self._name):
            missing.append(Lack("outside-client", outside.outside_name(self._name)))
        return tuple(missing)

    def mend_outside(self) -> bool:
        """Have the outside client run; tell whether something was done. Raises as `_load_balancer`."""
        pool = self._pool_in_use() or self._choose_pool()
        return outside.ensure(self._docker, self._name, self._wished.probe_image, self._network, pool)

    def _step(self) -> tuple[Lack, ...]:
        """Look once, and begin whatever is missing; what is still missing."""
        try:
            view = self.view()
            missing = [*lacks(view, config.node_names(self._name))]
            if any(item.what == "namespace" for item in missing):
                return tuple(missing)  # nothing can be created before it is gone
            missing += self._load_balancer()
            missing += self._probes(view)
        except ApiRefused as refusal:
            return (Lack("api", refusal.reason, refusal.message),)  # such as a Namespace that is still going away
        except ClusterUnreachable as error:
            return (Lack("api", error.code, error.facts.get("reason", "")),)
        if not missing and not outside.answers(self._docker, self._name):
            missing.append(Lack("outside-client", outside.outside_name(self._name)))
        if not missing:
            missing += self._probes_silent(view)
        return tuple(missing)

    def _wait_for_api(self) -> str:
        deadline = self._clock() + (API_SECONDS if self._recently_started() else 2 * LOOK_SECONDS)
        while True:
            try:
                return self._api.version()
            except ApiRefused:
                if self._clock() > deadline:  # while it starts, it has not read the rules yet that let us in
                    raise
            except ClusterUnreachable as error:
                if self._clock() > deadline or error.code not in ("api-unreachable", "api-timeout", "api-failing"):
                    raise
            self._tell("cluster-waiting", {"missing": "api"})
            self._pause(LOOK_SECONDS)

    def _recently_started(self) -> bool:
        """Whether a container has been started within the last minutes, so that a silent API server may still come."""
        now = datetime.now(UTC)
        return any(age_seconds(moment, now) < API_SECONDS for moment in self._started.values())

    # -- load balancer ----------------------------------------------------------------------------------------------

    def _load_balancer(self) -> list[Lack]:
        """Have MetalLB run with a pool, and the outside client beside it."""
        if any(item.why == "missing" for item in self._load_balancer_lacks()):
            self._apply_metallb()
        pool = self._pool_in_use()
        chosen = pool or self._choose_pool()
        if outside.ensure(self._docker, self._name, self._wished.probe_image, self._network, chosen):
            self._tell("outside-started", {"container": outside.outside_name(self._name)})
        waiting = self._load_balancer_lacks()
        if pool is None and not waiting:
            # The webhook that checks pools answers a moment after its Pod is ready; until then the server refuses.
            try:
                for item in metallb.pool_objects(chosen):
                    self._api.apply(item)
            except ApiRefused as refusal:
                if refusal.http_status != 404:
                    raise
                self._apply_metallb()  # its definitions were deleted, but not its Pods
                waiting.append(Lack("load-balancer", "IPAddressPool", "waiting"))
        elif pool is None:
            waiting.append(Lack("load-balancer", "IPAddressPool", "waiting"))
        return waiting

    def _apply_metallb(self) -> None:
        self._tell("metallb-applying", {})
        for item in metallb.documents(metallb.manifest(self._wished.metallb_manifest)):
            self._api.apply(item)

    def _load_balancer_lacks(self) -> list[Lack]:
        found: list[Lack] = []
        for plural, name in (("deployments", "controller"), ("daemonsets", "speaker")):
            if self._api.read(plural, name, metallb.NAMESPACE) is None:
                found.append(Lack("load-balancer", name, "missing"))
        if found:
            return found
        pods = self._api.list("pods", metallb.NAMESPACE, labels="app=metallb")
        speakers = {pod["spec"].get("nodeName") for pod in pods if _component(pod) == "speaker" and self._runs(pod)}
        if not any(_component(pod) == "controller" and self._runs(pod) for pod in pods):
            why = next((why_not_running(pod) for pod in pods if _component(pod) == "controller"), "")
            found.append(Lack("load-balancer", "controller", why))
        found += [Lack("load-balancer", f"speaker {node}") for node in sorted(set(self._started) - speakers)]
        return found

    def _runs(self, pod: dict[str, Any]) -> bool:
        return running(pod, self._started)

    def _pool_in_use(self) -> addresses.Pool | None:
        """The pool that MetalLB has, None where it has none that could be kept."""
        try:
            found = self._api.read("ipaddresspools", metallb.OURS, metallb.NAMESPACE)
            announced = self._api.read("l2advertisements", metallb.OURS, metallb.NAMESPACE)
        except ApiRefused:
            return None
        if found is None or announced is None:
            return None
        pool = addresses.parse(((found.get("spec") or {}).get("addresses") or [""])[0])
        if pool is None:
            return None
        subnet = self._subnet()
        return pool if pool.first in subnet and pool.last in subnet else None

    def _subnet(self) -> IPv4Network:
        network = self._docker.network(self._network)
        return addresses.ipv4_subnet(network.subnets if network else ())

    def _choose_pool(self) -> addresses.Pool:
        network = self._docker.network(self._network)
        others = self._docker.containers(f"label={LABEL_POOL}")
        reserved = (
            addresses.parse(item.labels[LABEL_POOL])
            for item in others
            if item.name != outside.outside_name(self._name) and self._network in item.networks
        )
        return addresses.choose(
            addresses.ipv4_subnet(network.subnets if network else ()),
            [IPv4Address(text) for text in (network.addresses if network else ()) if ":" not in text],
            [pool for pool in reserved if pool is not None],
        )

    # -- probes -----------------------------------------------------------------------------------------------------

    def _probes(self, view: View) -> list[Lack]:
        """Have one probe Pod on each node. Nothing to report: readiness tells of those that do not run yet."""
        found = {pod["metadata"]["name"]: pod for pod in view.probes}
        made: list[Lack] = []
        for node in view.nodes:
            name = probes.probe_name(node["metadata"]["name"])
            pod = found.get(name)
            if pod is not None and to_replace(pod, self._wished.probe_image):
                self._api.delete("pods", name, PROBE_NAMESPACE, grace_seconds=0)
                made.append(Lack("probe", name, "replaced"))
            elif pod is None:
                if not made:
                    self._api.apply(probes.namespace())
                self._tell("probe-creating", {"pod": name})
                self._api.create(probes.probe(node["metadata"]["name"], self._wished.probe_image))
                made.append(Lack("probe", name, "created"))
        return made

    def _probes_silent(self, view: View) -> list[Lack]:
        """The probe Pods that do not take commands, though their status says they are ready."""
        silent: list[Lack] = []
        for node in view.nodes:
            name = probes.probe_name(node["metadata"]["name"])
            try:
                self._api.pod_get(PROBE_NAMESPACE, name, "healthz", port=probes.PROBE_PORT)
            except EnvironmentError_ as error:
                silent.append(Lack("probe", name, error.facts.get("reason", "")))
        return silent

    def _tell(self, code: str, facts: dict[str, str]) -> None:
        """Report a step, but not the same one twice in a row."""
        words = f"{code} {facts}"
        if words != self._told:
            self._told = words
            self._progress(code, facts)


def _component(pod: dict[str, Any]) -> str:
    return str((pod["metadata"].get("labels") or {}).get("component") or "")
