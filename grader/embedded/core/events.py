"""Writes Event objects as client-go's recorder does (k8s.io/client-go/tools/record)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.store import Obj, Store, timestamp


class Recorder:
    """Records what happened to objects; the same event again raises the count of the one that is there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stamp = 0
        self._seen: dict[tuple[str, ...], tuple[str, str]] = {}

    def event(
        self,
        obj: Obj,
        type_: str,
        reason: str,
        message: str,
        component: str,
        *,
        host: str = "",
        field_path: str = "",
    ) -> None:
        """Record an event.

        Args:
            obj: the object that it is about.
            type_: "Normal" or "Warning".
            reason: a word in CamelCase.
            message: for people.
            component: who reports it, such as "kubelet".
            host: the node of the component, where it has one.
            field_path: the part of the object, such as `spec.containers{web}`.

        """
        metadata = obj["metadata"]
        namespace = metadata.get("namespace") or "default"
        if self._store.get("namespaces", "", namespace) is None:
            return
        key = (metadata.get("uid", ""), type_, reason, message, component, host, field_path)
        now = self._store.now()
        if (held := self._seen.get(key)) and (event := self._store.get("events", *held)):
            self._store.update("events", {**event, "count": event["count"] + 1, "lastTimestamp": timestamp(now)})
            return
        self._stamp = max(int(now * 1e9), self._stamp + 1)
        while self._store.get("events", namespace, f"{metadata['name']}.{self._stamp:x}"):
            self._stamp += 1  # another recorder was at the same moment
        name = f"{metadata['name']}.{self._stamp:x}"
        self._seen[key] = (namespace, name)
        self._store.create("events", self._body(obj, namespace, name, key, now))

    def _body(self, obj: Obj, namespace: str, name: str, key: tuple[str, ...], now: float) -> Obj:
        _, type_, reason, message, component, host, field_path = key
        metadata = obj["metadata"]
        involved: dict[str, Any] = {
            "kind": obj["kind"],
            "namespace": metadata.get("namespace"),
            "name": metadata["name"],
            "uid": metadata.get("uid"),
            "apiVersion": obj["apiVersion"],
            "resourceVersion": metadata.get("resourceVersion"),
            "fieldPath": field_path,
        }
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {field: value for field, value in involved.items() if value},
            "reason": reason,
            "message": message,
            "type": type_,
            "source": {"component": component, **({"host": host} if host else {})},
            "firstTimestamp": timestamp(now),
            "lastTimestamp": timestamp(now),
            "count": 1,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": host,
        }
