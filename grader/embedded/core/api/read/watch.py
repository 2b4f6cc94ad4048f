"""Watches: what has been missed, then what happens.

Semantics: k8s.io/apiserver/pkg/storage/cacher (1.36): a selector turns changes into ADDED and DELETED as an object
comes into it and leaves it; `sendInitialEvents` ends with an annotated bookmark; a version that is too old is told as
an ERROR event of status 410.
"""

from __future__ import annotations

from collections.abc import Callable

from grader.embedded.core.api.http.messages import Tree, Watch
from grader.embedded.core.api.http.negotiate import encode
from grader.embedded.core.api.http.status import bad_request, expired
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.read import tables, views
from grader.embedded.core.api.read.headers import kind_headers
from grader.embedded.core.api.read.selectors import Match
from grader.embedded.core.objects import with_metadata
from grader.embedded.core.store import Change, Gone, Obj, Store

Send = Callable[[bytes], None]
End = Callable[[], None]


def open_watch(store: Store, call: Call, match: Match) -> Watch:
    """The watch that a request asks for. Raises ApiError (400) for parameters that make no sense."""
    stream = _Stream(store, call, match)
    seconds = call.request.param("timeoutSeconds")
    return Watch(
        headers=kind_headers(call.resource),
        start=stream.start,
        bookmark=stream.bookmark if call.request.flag("allowWatchBookmarks") else lambda: None,
        timeout=float(seconds) if seconds.isdigit() and int(seconds) else None,
    )


class _Stream:
    """One watch."""

    def __init__(self, store: Store, call: Call, match: Match) -> None:
        self._store = store
        self._call = call
        self._resource = call.resource
        self._namespace = call.target.namespace
        self._match = match
        version = call.request.param("resourceVersion")
        if version and not version.isdigit():
            raise bad_request(f'Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax')
        self._initial = call.request.flag("sendInitialEvents")
        if self._initial and call.request.param("resourceVersionMatch") != "NotOlderThan":
            raise bad_request("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        self._from = int(version or 0)

    def start(self, send: Send, end: End) -> Callable[[], None]:
        """Send what is due and keep sending. Returns the function that stops it."""
        if self._initial or self._from == 0:
            for obj in self._store.list(self._resource.store_name, self._namespace or None):
                if self._match(obj):
                    send(self._event("ADDED", obj))
            if self._initial:
                send(self.bookmark(initial=True))
        else:
            try:
                missed = self._store.history(self._from)
            except Gone as error:
                problem = expired(f"too old resource version: {error.since} ({error.oldest})").status()
                send(encode({"type": "ERROR", "object": problem}))
                end()
                return lambda: None
            for change in missed:
                self._tell(change, send)
        return self._store.subscribe(lambda change: self._tell(change, send))

    def bookmark(self, *, initial: bool = False) -> bytes:
        """A BOOKMARK event of the store's version."""
        meta: Tree = {"resourceVersion": str(self._store.resource_version), "creationTimestamp": None}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: Tree = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": meta}
        if self._call.negotiated.as_kind == "Table":
            bare = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
            obj = tables.bookmark(bare, self._resource)
        elif self._call.negotiated.as_kind:
            obj = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
        return encode({"type": "BOOKMARK", "object": obj})

    def _tell(self, change: Change, send: Send) -> None:
        if change.resource != self._resource.store_name:
            return
        if self._namespace and change.obj["metadata"].get("namespace") != self._namespace:
            return
        before = change.old is not None and self._match(change.old)
        after = change.type != "DELETED" and self._match(change.obj)
        if after:
            send(self._event("MODIFIED" if before else "ADDED", change.obj))
        elif before:
            # one that only stopped to match is told as it was (cacher/cache_watcher.go convertToWatchEvent)
            last = change.obj if change.type == "DELETED" or change.old is None else change.old
            version = change.obj["metadata"]["resourceVersion"]
            send(self._event("DELETED", with_metadata(last, resourceVersion=version)))

    def _event(self, kind: str, obj: Obj) -> bytes:
        if self._call.negotiated.as_kind == "Table":
            shown = tables.table(
                [obj], self._resource, obj["metadata"]["resourceVersion"], self._call.request, self._store.now()
            )
        elif self._call.negotiated.as_kind:
            shown = views.partial(obj)
        else:
            shown = views.shown(obj, self._resource)
        return encode({"type": kind, "object": shown})
