"""kind's own configuration of the course's cluster: one control plane, two workers, published NodePorts.

Format: sigs.k8s.io/kind/pkg/apis/config/v1alpha4/types.go. The node image is given on kind's command line.
"""

from __future__ import annotations

import re
from importlib.resources import files
from string import Template

import yaml

from grader.cluster.kind.options import KindOptions

STEPS = (
    ("Ensuring node image", "kind-node-image"),
    ("Preparing nodes", "kind-nodes"),
    ("Writing configuration", "kind-configuration"),
    ("Starting control-plane", "kind-control-plane"),
    ("Installing CNI", "kind-pod-network"),
    ("Joining worker nodes", "kind-workers"),
)
"""What kind says (its source: `status.Start`) → the step's code in text/ja/progress.yaml."""


def render(options: KindOptions) -> str:
    """Fill the package's template with the ports that are to be published."""
    mappings = [
        {"containerPort": port, "hostPort": port, "listenAddress": options.listen_address, "protocol": "TCP"}
        for port in options.node_ports
    ]
    template = Template(files(__package__).joinpath("cluster.yaml").read_text(encoding="utf-8"))
    return template.substitute(mappings=yaml.safe_dump(mappings, default_flow_style=True, width=10**6).strip())


def node_names(name: str) -> tuple[str, str, str]:
    """Names of the nodes, containers and Nodes alike (kind: pkg/cluster/internal/providers/common/namer.go)."""
    return f"{name}-control-plane", f"{name}-worker", f"{name}-worker2"


def step(line: str) -> str | None:
    """The code of the step that kind begins with this line of output, None for any other line."""
    if "•" not in line:
        return None
    return next((code for words, code in STEPS if words in line), None)


def taken_port(text: str) -> str | None:
    """The host port that Docker could not publish, read from its error message; None where it names no port."""
    signs = ("already allocated", "already in use", "ports are not available")
    if not any(sign in text.lower() for sign in signs):
        return None
    found = re.search(r"(?:\d{1,3}\.){3}\d{1,3}:(\d{2,5})", text)
    return found[1] if found else None
