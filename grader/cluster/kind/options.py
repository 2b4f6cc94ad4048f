"""What can be chosen of a kind cluster: by option, else by environment variable, else the pinned upstream default."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from grader.cluster.probes import PROBE_IMAGE
from grader.errors import UsageError

NODE_IMAGE = "kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed"
"""Of the list of images built for kind v0.33.0 (its release notes), which gives the digest."""

METALLB_MANIFEST = "https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml"
METALLB_SHA256 = "a1b04c376fb39c93265f551fe23716a3ae6e09b790edb3bf257d3fc784c35a18"
"""Of config/manifests/metallb-native.yaml in the Go module go.universe.tf/metallb v0.15.2, which go.sum vouches for."""

COURSE_IMAGES = ("docker.io/library/nginx:1.29", "docker.io/library/busybox:1.37")
"""What the lessons' Pods run, beside the probe image; taken along into the nodes where the machine has them."""

ENVIRONMENT: Mapping[str, str] = {
    "node-image": "KIND_NODE_IMAGE",
    "metallb-manifest": "METALLB_MANIFEST",
    "probe-image": "GRADER_PROBE_IMAGE",
    "listen-address": "GRADER_LISTEN_ADDRESS",
    "node-ports": "GRADER_NODE_PORTS",
    "reach": "GRADER_KIND_REACH",
}
"""Option → the environment variable that stands in for it."""

NODE_PORT_RANGE = range(30000, 32768)


@dataclass(frozen=True)
class KindOptions:
    """A kind cluster as wished for.

    Attributes:
        node_image: image of the nodes.
        metallb_manifest: URL or path of MetalLB's native manifest.
        probe_image: agnhost image of the probe Pods and the outside client.
        listen_address: address of this machine on which NodePorts are published.
        node_ports: the NodePorts that are published.
        reach: "host": kubeconfig and NodePorts by way of published ports; "network": by the nodes' own names on
            Docker's `kind` network, which the container that runs this process is joined to.
        chosen: names of the options that were given explicitly.
    """

    node_image: str = NODE_IMAGE
    metallb_manifest: str = METALLB_MANIFEST
    probe_image: str = PROBE_IMAGE
    listen_address: str = "127.0.0.1"
    node_ports: range = range(30080, 30090)
    reach: str = "host"
    chosen: frozenset[str] = frozenset()


def parse(options: Mapping[str, str], environment: Mapping[str, str]) -> KindOptions:
    """Read the wishes.

    Args:
        options: by option name; an explicit option wins over the environment.
        environment: the process's environment variables.

    Raises UsageError ("unknown-cluster-option", "cluster-option-invalid").
    """
    for name in options:
        if name not in ENVIRONMENT:
            raise UsageError("unknown-cluster-option", option=name, provider="kind")
    given = {name: environment[variable] for name, variable in ENVIRONMENT.items() if environment.get(variable)}
    given.update({name: value for name, value in options.items() if value})
    address = given.get("listen-address", KindOptions.listen_address)
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise UsageError("cluster-option-invalid", option="listen-address", value=address) from error
    reach = given.get("reach", KindOptions.reach)
    if reach not in ("host", "network"):
        raise UsageError("cluster-option-invalid", option="reach", value=reach)
    return KindOptions(
        node_image=given.get("node-image", KindOptions.node_image),
        metallb_manifest=given.get("metallb-manifest", KindOptions.metallb_manifest),
        probe_image=given.get("probe-image", KindOptions.probe_image),
        listen_address=address,
        node_ports=_ports(given["node-ports"]) if "node-ports" in given else KindOptions.node_ports,
        reach=reach,
        chosen=frozenset(name for name, value in options.items() if value),
    )


def _ports(text: str) -> range:
    """The ports of "30080-30089" or "30080"."""
    matched = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.strip())
    first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (0, 0)
    if first > last or first not in NODE_PORT_RANGE or last not in NODE_PORT_RANGE or last - first >= 100:
        raise UsageError("cluster-option-invalid", option="node-ports", value=text)
    return range(first, last + 1)
