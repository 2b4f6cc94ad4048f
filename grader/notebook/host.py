"""What a lesson uses to look at the cluster from outside it: the learner's own machine, and the outside client.

Both ask the record of the current cluster, so that one lesson runs on every cluster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from grader.cluster.info import ClusterInfo, load
from grader.errors import EnvironmentError_, UsageError
from grader.kube.client import KubeApi
from grader.observe.carriers import ApiCarrier, CarrierError, SilenceError
from grader.observe.container import ContainerCarrier

TIMEOUT = 10.0


def node_port_url(port: int) -> str:
    """Find the URL by which this machine reaches a node port, "http://127.0.0.1:30081".

    Raises ClusterMissing without a cluster, UsageError where the cluster does not bring this port to this machine.
    """
    info = load()
    ports = {str(number): address for number, address in info.host_ports.items()}
    if info.host_ports_path:
        with KubeApi(info.kubeconfig) as api:
            ports = {str(number): str(address) for number, address in api.get(info.host_ports_path).items()}
    if str(port) not in ports:
        raise UsageError("host-port-unmapped", port=port, known=", ".join(sorted(ports)) or "-")
    return f"http://{ports[str(port)]}"


def outside(url: str, *, silence: str = "") -> str:
    """Ask an http URL from the outside client, which is on the cluster's network but not in the cluster.

    Args:
        url: what to ask.
        silence: what to return where nothing answers; "": that is an error.

    Raises ClusterMissing without a cluster, EnvironmentError_ where it has no such client or nothing answers.
    """
    info = load()
    parts = urlsplit(url)
    query = {
        "host": parts.hostname or "",
        "port": str(parts.port or 80),
        "protocol": "http",
        "request": parts.path.lstrip("/") or "hostname",
        "tries": "1",
    }
    try:
        answer = json.loads(_dial(info, query))
    except CarrierError as error:
        raise EnvironmentError_("outside-client-silent", url=url, reason=error.code) from error
    except SilenceError as error:
        raise EnvironmentError_("outside-client-silent", url=url, reason=f"{TIMEOUT:g} s") from error
    if not answer.get("responses") and silence:
        return silence
    if not answer.get("responses"):
        raise EnvironmentError_("outside-client-silent", url=url, reason="; ".join(answer.get("errors", ())))
    return str(answer["responses"][0])


def _dial(info: ClusterInfo, query: Mapping[str, str]) -> bytes:
    scheme, _, client = info.outside.partition(":")
    if scheme == "docker":
        container = ContainerCarrier(client)
        try:
            return container.get("dial", query, TIMEOUT)
        finally:
            container.close()
    if scheme == "api":
        with KubeApi(info.kubeconfig) as api:
            return ApiCarrier(api, client).get("dial", query, TIMEOUT)
    raise EnvironmentError_("outside-client-absent", cluster=info.name)
