"""Ask a real API server and the embedded one about the same manifest, and compare what they say."""

from __future__ import annotations

import json
from collections import Counter
from http.client import RemoteDisconnected
from typing import Any, Protocol

from tests.embedded.core.api import parity_cases, parity_shape
from tests.embedded.core.api.fuzz_manifests import Tree
from tests.embedded.core.api.known_differences import known
from tests.embedded.core.api.parity_asking import ask, cluster, differences

QUERY = "fieldValidation=Strict&fieldManager=fuzz"


class Real(Protocol):
    """A real cluster's API."""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any, list[str]]:
        """Status, decoded body and warnings of one request."""


class Asked:
    """What was asked so far.

    Attributes:
        count: how many manifests.
        outcomes: HTTP status → how often a real cluster gave it.
        known: name of a known difference → how often it was met.
        found: where they differ → the smallest manifest that shows it, and how.
    """

    def __init__(self, real: Real) -> None:
        self._real = real
        self.count = 0
        self.outcomes: Counter[int] = Counter()
        self.known: Counter[str] = Counter()
        self.found: dict[str, tuple[Tree, str]] = {}

    def compare(self, manifest: Tree) -> None:
        """Create it on both, without keeping it, and compare the answers."""
        self.count += 1
        method, path, body = parity_cases.post(manifest)
        step = (method, f"{path}?dryRun=All&{QUERY}", body)
        real = self._asked(step, [step])
        ours = parity_shape.shape(ask(cluster(), step), [step])
        self._judge(manifest, real, ours)

    def change(self, before: Tree, after: Tree) -> None:
        """Create one on both, replace it by the other, and compare the answers to that."""
        self.count += 1
        method, path, body = parity_cases.post(before)
        name = before["metadata"]["name"]
        steps = [(method, f"{path}?{QUERY}", body), ("PUT", f"{path}/{name}?{QUERY}", after)]
        server = cluster()
        for step in steps:
            real = self._asked(step, steps)
            ours = parity_shape.shape(ask(server, step), steps)
            if not 200 <= real["code"] < 300:
                break
        self._judge({"before": before, "after": after}, real, ours)
        self._real.call("DELETE", parity_shape.http(("DELETE", f"{path}/{name}", None))[1])

    def _asked(self, step: parity_cases.Step, steps: list[parity_cases.Step]) -> dict[str, Any]:
        """What the real one says; code 0 where it drops the connection."""
        try:
            return parity_shape.shape(self._real.call(*parity_shape.http(step)[:3]), steps)
        except RemoteDisconnected:
            return {"code": 0, "body": {}, "warnings": []}

    def _judge(self, manifest: Tree, real: dict[str, Any], ours: dict[str, Any]) -> None:
        self.outcomes[real["code"]] += 1
        lines = differences(_unordered(real), _unordered(ours))
        if not lines:
            return
        if name := known(manifest, real, ours):
            self.known[name] += 1
            return
        key = " ".join(line.partition("\n")[0] for line in lines[:4])
        if key not in self.found or len(json.dumps(manifest)) < len(json.dumps(self.found[key][0])):
            self.found[key] = (manifest, "\n".join(lines))

    def summary(self) -> str:
        """One line for a log."""
        return f"{self.count} manifests: {dict(self.outcomes)}, known differences {dict(self.known)}"


def _unordered(answer: dict[str, Any]) -> dict[str, Any]:
    """What is compared: causes in any order, since Go goes through maps in any; the message tells them again."""
    body = answer["body"]
    if answer["code"] == 422 and isinstance(body, dict):
        details = body.get("details", {})
        causes = sorted(details.get("causes", ()), key=lambda cause: json.dumps(cause, sort_keys=True))
        body = {**body, "message": "", "details": {**details, "causes": causes}}
    return {**answer, "body": body}
