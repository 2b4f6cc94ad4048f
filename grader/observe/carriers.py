"""Carriers take a command to a vantage point's agnhost `netexec`. What they carry it over is never evidence itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from grader.errors import ClusterUnreachable
from grader.kube.client import KubeApi, ProbeUnreachable

PORT = 8080


class SilenceError(Exception):
    """Nothing came back in time: the command may still be running at the vantage, or the vantage is gone."""


class CarrierError(Exception):
    """The command could not be brought to the vantage.

    Attributes:
        code: key in `text/ja/environment.yaml`.
        facts: values that the message names.
    """

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        self.facts: Mapping[str, str] = facts
        super().__init__(code, facts)


class RejectionError(Exception):
    """The vantage took the command and answered with an HTTP error; the text says why."""


class Carrier(Protocol):
    """A way to a vantage."""

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        """GET a path of the netexec server there; `timeout` in seconds.

        Raises SilenceError, CarrierError, RejectionError.
        """


class PodCarrier:
    """Through the API server's Pod proxy."""

    def __init__(self, api: KubeApi, namespace: str, pod: str, port: int = PORT) -> None:
        self.api, self.namespace, self.pod, self.port = api, namespace, pod, port

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        """GET a path of the netexec server in the Pod."""
        try:
            return self.api.pod_get(self.namespace, self.pod, path, query, port=self.port, timeout=timeout)
        except ProbeUnreachable as error:
            if error.facts.get("http_status") in {"400", "417"}:
                raise RejectionError(error.facts.get("reason", "")) from error
            facts = {"namespace": self.namespace, "pod": self.pod, "reason": error.facts.get("reason", "")}
            raise CarrierError("probe-unreachable", **facts) from error
        except ClusterUnreachable as error:
            if error.code == "api-timeout":
                raise SilenceError from error
            raise


class ApiCarrier:
    """Through a path of the API server (the embedded cluster's outside client)."""

    def __init__(self, api: KubeApi, path: str) -> None:
        self.api, self.path = api, path.rstrip("/")

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        """GET a path of the netexec server behind the API path."""
        try:
            status, body = self.api.request("GET", f"{self.path}/{path}", query, timeout=timeout)
        except ClusterUnreachable as error:
            if error.code == "api-timeout":
                raise SilenceError from error
            raise
        text = body.decode(errors="replace").strip()
        if status in (400, 417):
            raise RejectionError(text)
        if status != 200:
            raise CarrierError("outside-client-unreachable", client=self.path, reason=f"HTTP {status} {text}")
        return body
