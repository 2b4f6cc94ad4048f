"""A cluster full of generated Services that changes, and the moment at which a reader of it has seen all changes."""

from __future__ import annotations

import time
from random import Random

from grader.kube.client import ApiRefused, KubeApi
from tests.coredns import manifests
from tests.coredns.asking import Question, ask
from tests.coredns.manifests import NAMESPACES, SERVICES, Tree

FOLLOW_SECONDS = 30.0

Key = tuple[str, str, str]
"""Kind, namespace, name."""


class World:
    """What was written to an API server.

    Attributes:
        objects: what it took and holds, as was written.
        refused: how many objects it would not have.
    """

    def __init__(self, api: KubeApi, seed: int) -> None:
        self._api = api
        self._rng = Random(seed)
        self._marks = 0
        self.objects: dict[Key, Tree] = {}
        self.refused = 0

    def keep_no_answers(self) -> None:
        """Give the cluster's own CoreDNS Pods the test's Corefile in this: they keep no answer of any zone."""
        path = "/api/v1/namespaces/kube-system/configmaps/coredns"
        corefile = self._api.get(path)["data"]["Corefile"]
        kept = corefile.replace(" cluster.local\n       disable denial cluster.local", "\n       disable denial")
        assert kept != corefile
        self._api.patch(path, {"data": {"Corefile": kept}})
        labels = "k8s-app=kube-dns"
        before = {pod["metadata"]["name"] for pod in self._api.list("pods", "kube-system", labels=labels)}
        for name in before:
            self._api.delete("pods", name, "kube-system")
        deadline = time.monotonic() + FOLLOW_SECONDS
        while not _all_ready(pods := self._api.list("pods", "kube-system", labels=labels), before):
            assert time.monotonic() < deadline, pods
            time.sleep(0.1)

    def begin(self, own_address: str) -> None:
        """Write the first generation.

        Args:
            own_address: an address of the CoreDNS asked: as an endpoint of kube-dns it is what a CoreDNS Pod is.
        """
        for namespace in NAMESPACES:
            self._write({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        if own_address:
            self._write(_endpoint("kube-system", "kube-dns", "kube-dns-of-tests", own_address))
        for obj in (
            *manifests.running("alpha"),
            *manifests.chain("alpha", 14),
            *manifests.crowd("alpha", 12),
            *manifests.crowd("alpha", 300),
            manifests.stray("alpha"),
        ):
            self._write(obj)
        for namespace in NAMESPACES:
            for name in SERVICES:
                if self._rng.random() < 0.75:
                    self._make(namespace, name)

    def change(self) -> None:
        """Make, replace and delete some Services and slices, and a Namespace."""
        for namespace in NAMESPACES:
            for name in SERVICES:
                if self._rng.random() < 0.5:
                    self._change(namespace, name)
        self._delete(("Namespace", "", self._rng.choice(NAMESPACES[1:])))

    def services(self) -> list[Tree]:
        """The Services that were written, deleted ones not among them."""
        return [obj for (kind, _, _), obj in self.objects.items() if kind == "Service"]

    def slices(self) -> list[Tree]:
        """The EndpointSlices that were written."""
        return [obj for (kind, _, _), obj in self.objects.items() if kind == "EndpointSlice"]

    def until_seen(self, port: int) -> None:
        """Wait until a DNS server has seen everything: each of its three watches tells changes in their order."""
        self._marks += 1
        name = f"mark-{self._marks}"
        self._write({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        metadata = {"name": "mark", "namespace": name}
        self._write({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": "None"}})
        self._write(_endpoint(name, "mark", "mark", "192.0.2.99"))
        question = Question(f"mark.{name}.svc.cluster.local.", "A")
        deadline = time.monotonic() + FOLLOW_SECONDS
        while not ask(question, port).get("answer"):
            assert time.monotonic() < deadline, f"{question.name} is not seen at port {port}"
            time.sleep(0.02)

    def until_settled(self, namespace: str, count: int) -> None:
        """Wait until so many Pods are ready and so many endpoints published."""
        deadline = time.monotonic() + FOLLOW_SECONDS
        selector = "kubernetes.io/service-name=stateful"
        while True:
            slices = self._api.list("endpointslices", namespace, labels=selector)
            endpoints = [endpoint for obj in slices for endpoint in obj.get("endpoints") or ()]
            if len(endpoints) == count and all(endpoint["conditions"]["ready"] for endpoint in endpoints):
                return
            assert time.monotonic() < deadline, slices
            time.sleep(0.1)

    def _make(self, namespace: str, name: str) -> None:
        if self._write(manifests.service(self._rng, namespace, name)):
            for obj in manifests.slices(self._rng, namespace, name):
                self._write(obj)

    def _change(self, namespace: str, name: str) -> None:
        key = ("Service", namespace, name)
        match self._rng.choice(("delete", "replace", "slices", "anew")) if key in self.objects else "make":
            case "make":
                self._make(namespace, name)
            case "delete":
                self._delete(key)
            case "anew":
                self._delete(key)
                self._make(namespace, name)
            case "replace":
                self._write(manifests.service(self._rng, namespace, name))
            case "slices":
                self._delete(("EndpointSlice", namespace, f"{name[:40]}-0"))
                for obj in manifests.slices(self._rng, namespace, name):
                    self._write(obj)

    def _write(self, obj: Tree) -> bool:
        """Apply it; whether the API server took it."""
        try:
            self._api.apply(obj)
        except ApiRefused:
            self.refused += 1
            return False
        metadata = obj["metadata"]
        self.objects[(obj["kind"], metadata.get("namespace", ""), metadata["name"])] = obj
        return True

    def _delete(self, key: Key) -> None:
        if self.objects.pop(key, None) is not None:
            kind, namespace, name = key
            self._api.delete(f"{kind.lower()}s", name, namespace or None)


def _all_ready(pods: list[Tree], before: set[str]) -> bool:
    return len(pods) >= len(before) and all(
        pod["metadata"]["name"] not in before
        and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))
        for pod in pods
    )


def _endpoint(namespace: str, service: str, name: str, address: str) -> Tree:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
    }
