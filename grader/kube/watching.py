"""A watch of collections: which objects changed since they were looked at, told as soon as they do.

A watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes) ends whenever the
server likes. It is taken up again from a new list, and what differs from the last one known is what changed meanwhile.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from grader.errors import ClusterUnreachable
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.resources import by_plural
from grader.kube.transport import Stream, Transport

AGAIN_AFTER = 1.0
"""Seconds after which a watch that ended is taken up again: an API server that is down is not asked in a loop."""

Version = tuple[str, str]
"""uid and resourceVersion of an object."""


class Watch:
    """Watches collections, a thread each. Use `with`: at the end the threads go.

    Attributes:
        changes: set while something changed that was not `seen`.
    """

    def __init__(
        self,
        kubeconfig: Path,
        collections: Collection[tuple[str, str]],
        *,
        leaving_out: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            kubeconfig: of the cluster.
            collections: plural name of a resource (`grader.kube.resources.KNOWN`) and Namespace.
            leaving_out: tells the objects whose changes are nobody's news.

        Raises ClusterUnreachable where the kubeconfig cannot be used.
        """
        self._api = KubeApi(kubeconfig)
        self._transport = Transport(self._api.connection)
        self._collections = tuple(dict.fromkeys(collections))
        self._leaving_out = leaving_out
        self._lock = threading.Lock()
        self._changed: dict[str, str] = {}  # uid → resourceVersion, "" for one that is gone
        self._streams: set[Stream] = set()
        self._ended = threading.Event()
        self.changes = threading.Event()

    def __enter__(self) -> Self:
        for plural, namespace in self._collections:
            threading.Thread(target=self._watch, args=(plural, namespace), name=f"watch-{plural}", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        with self._lock:
            streams = tuple(self._streams)
        for stream in streams:
            stream.end()
        self._api.close()

    def changed(self) -> dict[str, str]:
        """Give what changed and was not `seen` since: uid → resourceVersion, "" for what is gone."""
        with self._lock:
            return dict(self._changed)

    def seen(self, before: Mapping[str, str], versions: Collection[Version]) -> None:
        """Forget changes that were looked at.

        Args:
            before: what `changed` gave before the look began.
            versions: the objects as they were seen.

        """
        looked = dict(versions)
        with self._lock:
            self._changed = {
                uid: version
                for uid, version in self._changed.items()
                if before.get(uid) != version and not _reached(version, looked.get(uid, ""))
            }
            if not self._changed:
                self.changes.clear()

    def _tell(self, changed: Mapping[str, str]) -> None:
        if changed:
            with self._lock:
                self._changed.update(changed)
            self.changes.set()

    def _watch(self, plural: str, namespace: str) -> None:
        path = by_plural(plural).path(namespace)
        known: dict[str, str] = {}  # so that all of the first list is news: a look may have been before it
        while not self._ended.is_set():
            with suppress(ClusterUnreachable, ApiRefused):  # what is wrong with the cluster, a verdict tells
                listed = self._api.get(path)
                found = dict(map(_version, filter(self._is_news, listed.get("items") or ())))
                gone = dict.fromkeys(known.keys() - found.keys(), "")
                self._tell({uid: version for uid, version in found.items() if known.get(uid) != version} | gone)
                known = found
                self._follow(path, str(listed["metadata"].get("resourceVersion") or ""), known)
            self._ended.wait(AGAIN_AFTER)

    def _is_news(self, item: Mapping[str, Any]) -> bool:
        return not self._leaving_out(item)

    def _follow(self, path: str, since: str, known: dict[str, str]) -> None:
        """Tell of one watch's events until it ends. Raises ClusterUnreachable."""
        connection = self._api.connection
        query = urlencode({"watch": "true", "resourceVersion": since})
        with self._transport.stream(f"{connection.base_path}{path}?{query}", connection.headers) as stream:
            with self._lock:
                self._streams.add(stream)
            try:
                for line in stream.lines() if stream.http_status == 200 and not self._ended.is_set() else ():
                    event = json.loads(line)
                    if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
                        return  # "too old resource version": listed anew
                    if self._is_news(event["object"]):
                        uid, version = _version(event["object"])
                        if event["type"] == "DELETED":
                            known.pop(uid, None)
                            version = ""
                        else:
                            known[uid] = version
                        self._tell({uid: version})
            finally:
                with self._lock:
                    self._streams.discard(stream)


def _version(item: Mapping[str, Any]) -> Version:
    return str(item["metadata"]["uid"]), str(item["metadata"]["resourceVersion"])


def _reached(version: str, seen: str) -> bool:
    """Tell whether an object as it was seen is this version of it, or a later one.

    resourceVersions of one resource are numbers that grow (KEP-5504, Kubernetes v1.35); "" is one that is gone.
    """
    return seen == version or (version.isdecimal() and seen.isdecimal() and int(seen) >= int(version))
