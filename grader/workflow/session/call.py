"""Call a URL from somewhere: outside of the cluster, this machine, a node, a Pod, or through a port-forward.

One tool for every place, so that a lesson asks the same question from each and a terminal gives the answer that a
notebook gives. Each call is a connection of its own.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import SplitResult, urlsplit

from grader.cluster.info import ClusterInfo
from grader.errors import ClusterUnreachable, EnvironmentError_, UsageError
from grader.kube import kubectl
from grader.kube.client import KubeApi
from grader.model.kubernetes import name_of
from grader.model.vantage import PROBE_NAMESPACE
from grader.observe.carriers import ApiCarrier, Carrier, CarrierError, PodCarrier, RejectionError, SilenceError
from grader.observe.container import ContainerCarrier

OUTSIDE, HERE, FORWARD = "outside", "here", "port-forward"
TIMEOUT = 10.0  # seconds that one call may take
LOOPBACK = ("localhost", "127.0.0.1")

Answer = str | None
"""What was answered, None where nothing was."""


def call(cluster: ClusterInfo, url: str, *, source: str = OUTSIDE, namespace: str = "", times: int = 1) -> list[Answer]:
    """Call an http URL; give what each call was answered.

    Args:
        cluster: the course's cluster.
        url: "http://web.shop/hostname".
        source: "outside" (the client on the network of the cluster but not in it), "here" (this machine: a node port
            of localhost is the cluster's, on whatever port it came here), "port-forward" (the URL's host is a Service),
            the name of a node (our probe Pod there), or that of a Pod which runs agnhost netexec on port 8080.
        namespace: where that Pod or Service is.
        times: how many calls.

    Raises UsageError for a URL that is not http, an unknown place or a node port that is not brought here,
    EnvironmentError_ where the call cannot be made from there, ClusterUnreachable, ApiRefused.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError("call-url", url=url)
    with _caller(cluster, parts, source, namespace) as ask:
        return [ask() for _ in range(times)]


@contextmanager
def _caller(cluster: ClusterInfo, parts: SplitResult, source: str, namespace: str) -> Iterator[Callable[[], Answer]]:
    match source:
        case "here":
            yield partial(_fetch, _brought_here(cluster, parts))
        case "port-forward":
            with _forwarded(cluster, parts, namespace) as port:
                yield partial(_fetch, parts._replace(netloc=f"127.0.0.1:{port}"))
        case _:
            with _carrier(cluster, source, namespace) as carrier:
                yield partial(_dial, carrier, parts, source)


@contextmanager
def _carrier(cluster: ClusterInfo, source: str, namespace: str) -> Iterator[Carrier]:
    scheme, _, way = cluster.outside.partition(":")
    if source == OUTSIDE and scheme == "docker":
        container = ContainerCarrier(way)
        try:
            yield container
        finally:
            container.close()
        return
    if source == OUTSIDE and scheme != "api":
        raise EnvironmentError_("outside-client-absent", cluster=cluster.name)
    with KubeApi(cluster.kubeconfig) as api:
        if source == OUTSIDE:
            yield ApiCarrier(api, way)
        elif any(name_of(node) == source for node in api.list("nodes")):
            yield PodCarrier(api, PROBE_NAMESPACE, f"probe-{source}")
        elif api.read("pods", source, namespace):
            yield PodCarrier(api, namespace, source)
        else:
            raise UsageError("call-from-unknown", source=source, namespace=namespace)


def _dial(carrier: Carrier, parts: SplitResult, source: str) -> Answer:
    """Have netexec make the call (kubernetes/test/images/agnhost/netexec/netexec.go dialHandler)."""
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    query = {
        "host": str(parts.hostname),
        "port": str(parts.port or 80),
        "protocol": "http",
        "request": path or "hostname",
        "tries": "1",
    }
    try:
        answer = json.loads(carrier.get("dial", query, TIMEOUT))
    except SilenceError:
        return None
    except (CarrierError, RejectionError, ValueError) as error:
        reason = error.code if isinstance(error, CarrierError) else str(error)
        raise EnvironmentError_("call-from-silent", source=source, reason=reason) from error
    responses = answer.get("responses") or ()
    return str(responses[0]) if responses else None


def _fetch(parts: SplitResult) -> Answer:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(parts.geturl(), timeout=TIMEOUT) as response:
            return str(response.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException):  # refused, silent, or an HTTP error: nothing that was asked for
        return None


def _brought_here(cluster: ClusterInfo, parts: SplitResult) -> SplitResult:
    """Find where a node port of this machine is the cluster's."""
    if parts.hostname not in LOOPBACK:
        return parts
    ports = cluster.host_ports
    if cluster.host_ports_path:
        with KubeApi(cluster.kubeconfig) as api:
            ports = api.host_ports(cluster.host_ports_path)
    if (asked := parts.port or 80) not in ports:
        raise UsageError("host-port-unmapped", port=asked, known=", ".join(map(str, sorted(ports))) or "-")
    return parts._replace(netloc=ports[asked])


@contextmanager
def _forwarded(cluster: ClusterInfo, parts: SplitResult, namespace: str) -> Iterator[int]:
    """Forward a port of this machine to a Service, by kubectl, for as long as the block lasts."""
    target = ["service/" + str(parts.hostname), f":{parts.port or 80}", "-n", namespace]
    command = [str(kubectl.find()), "port-forward", *target]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kubectl.environment(cluster.kubeconfig)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()  # "Forwarding from 127.0.0.1:40913 -> 8080"
            if not line:
                raise ClusterUnreachable("port-forward-failed", reason=process.stderr.read().strip())
            yield int(line.split(" -> ")[0].rsplit(":", 1)[1])
        finally:
            process.terminate()
