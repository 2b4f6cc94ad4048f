"""Our own instruments in an exercise's Namespace are replaced by something that only looks like them."""

from __future__ import annotations

from collections.abc import Iterator

from grader.cluster.probes import probe
from grader.kube.client import Object as Live
from grader.model.kubernetes import is_ready
from grader.model.vantage import PROBE_POD
from grader.workflow.ground.instruments import ensure_probe
from grader.workflow.proof.attacks.hands import Hands
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site


def _replaced(site: Site) -> Iterator[Blow]:
    yield Blow("", (), _replacing)


def _replacing(hands: Hands) -> None:
    """Put a Pod of another spec in the place of the probe: it shares the network of its node."""
    hands.delete("Pod", PROBE_POD, gone=True)
    hands.later(lambda: _ours_again(hands))
    hands.create(impostor(PROBE_POD))

    def ready() -> bool:
        return is_ready(hands.read("Pod", PROBE_POD))

    hands.until(ready)


def _ours_again(hands: Hands) -> None:
    hands.delete("Pod", PROBE_POD, gone=True)
    ensure_probe(hands.api, hands.namespace)


def impostor(name: str, node: str = "") -> Live:
    """Make a Pod that answers as a probe does, with another container in it."""
    pod = probe(node)
    if not node:
        del pod["spec"]["nodeName"]
    pod["metadata"] = {**pod["metadata"], "name": name}
    del pod["metadata"]["namespace"]
    container = pod["spec"]["containers"][0]
    pod["spec"]["containers"].append({**container, "name": "whisper", "args": ["pause"], "ports": []})
    del pod["spec"]["containers"][1]["readinessProbe"]
    return pod


# `check` makes its own instruments anew before it asks, so a right answer stays right.
OPERATORS = (Operator("probe-replaced", "questions are asked by our own probe", _replaced, "pass"),)
