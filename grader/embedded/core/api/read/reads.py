"""Reading: get, list (selectors, pages, tables), watch, the scale of a workload."""

from __future__ import annotations

import base64
import json
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import JSON, Answer, Request, Response, Tree
from grader.embedded.core.api.http.negotiate import body, encode
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.read import selectors, tables, views, watch
from grader.embedded.core.api.read.headers import kind_headers
from grader.embedded.core.api.read.scale import scale_of
from grader.embedded.core.store import Obj, Store

ENCODED = 1024  # items of lists that are kept as they were sent, a few kilobytes each


def answer(
    obj: Obj,
    call: Call,
    now: float,
    *,
    code: int = 200,
    warnings: list[str] | None = None,
) -> Response:
    """One object in the form the client accepts."""
    negotiated, resource = call.negotiated, call.resource
    if negotiated.as_kind == "Table" and obj.get("kind") == resource.kind:
        content: Tree = tables.table([obj], resource, obj["metadata"].get("resourceVersion", ""), call.request, now)
    elif negotiated.as_kind == "PartialObjectMetadata":
        content = views.partial(obj)
    else:
        content = views.shown(obj, resource)
    data, content_type = body(content, negotiated)
    return Response(code, kind_headers(resource, content_type, warnings), data)


class Reader:
    """Answers GET requests from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._encoded: dict[tuple[str, str, str], bytes] = {}

    def read(self, call: Call) -> Answer:
        """Get, list or watch. Raises ApiError."""
        request, target = call.request, call.target
        call.resource.strategy.before_read(self._store)
        if target.name and not request.flag("watch") and not target.watch:
            return self._get(call)
        if target.subresource:
            raise status.method_not_allowed()
        fields = request.param("fieldSelector")
        if target.name:
            fields = f"metadata.name={target.name}"
        match = selectors.matcher(request.param("labelSelector"), fields, call.resource.store_name)
        if request.flag("watch") or target.watch:
            return watch.open_watch(self._store, call, match)
        return self._list(call, match)

    def _get(self, call: Call) -> Response:
        target, resource = call.target, call.resource
        obj = self._store.get(resource.store_name, target.namespace, target.name)
        if obj is None:
            raise status.not_found(resource.plural, resource.group, target.name)
        if target.subresource == "scale":
            scale = scale_of(obj, resource)
            shown = tables.scale_table(scale, self._store.now()) if call.negotiated.as_kind == "Table" else scale
            data, content_type = body(shown, call.negotiated)
            return Response(200, (("content-type", content_type),), data)
        return answer(obj, call, self._store.now())

    def _list(self, call: Call, match: selectors.Match) -> Response:
        negotiated, resource = call.negotiated, call.resource
        found = [obj for obj in self._store.list(resource.store_name, call.target.namespace or None) if match(obj)]
        version = str(self._store.resource_version)
        meta: Tree = {"resourceVersion": version}
        found, meta = _page(call.request, found, meta)
        if negotiated.as_kind == "Table":
            content: Tree = tables.table(found, resource, version, call.request, self._store.now())
            content["metadata"] = meta
        elif negotiated.as_kind.startswith("PartialObjectMetadata"):
            items = [{"metadata": obj["metadata"]} for obj in found]
            content = {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "items": items,
            }
        else:
            content = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta}
            if not negotiated.yaml:
                return Response(200, kind_headers(resource, JSON), self._joined(content, found, resource))
            content["items"] = [_item(views.shown(obj, resource)) for obj in found]
        data, content_type = body(content, negotiated)
        return Response(200, kind_headers(resource, content_type), data)

    def _joined(self, head: Tree, found: list[Obj], resource: Resource) -> bytes:
        """A list in JSON, each item of which is encoded once for every version of it."""
        items = []
        for obj in found:
            key = (resource.api_version, obj["metadata"]["uid"], obj["metadata"]["resourceVersion"])
            if (item := self._encoded.get(key)) is None:
                if len(self._encoded) >= ENCODED:
                    self._encoded.clear()
                item = self._encoded[key] = encode(_item(views.shown(obj, resource))).rstrip()
            items.append(item)
        return encode(head).rstrip().removesuffix(b"}") + b',"items":[' + b",".join(items) + b"]}\n"


def _item(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}


def _page(request: Request, found: list[Obj], meta: Tree) -> tuple[list[Obj], Tree]:
    """Apply `limit` and `continue`. Raises ApiError (400) for a token that is none."""
    token, limit = request.param("continue"), request.param("limit")
    if token:
        try:
            start: Any = json.loads(base64.urlsafe_b64decode(token))["after"]
        except (ValueError, KeyError, TypeError) as error:
            raise status.bad_request(
                f"invalid continue token: continue key is not valid: {_why_no_token(token)}"
            ) from error
        found = [obj for obj in found if _position(obj) > start]
    if limit.isdigit() and 0 < int(limit) < len(found):
        count = int(limit)
        after = json.dumps({"after": _position(found[count - 1])}).encode()
        left = len(found) - count
        meta = {**meta, "continue": base64.urlsafe_b64encode(after).decode()}
        if not request.param("labelSelector") and not request.param("fieldSelector"):
            meta["remainingItemCount"] = left  # else unknown: what is left is not looked at (etcd3/store.go GetList)
        found = found[:count]
    return found, meta


def _why_no_token(token: str) -> str:
    """What Go says of a text that is no token (storage/continue.go DecodeContinue)."""
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True).lstrip()
    except ValueError:
        bad = next(
            (index for index, letter in enumerate(token) if not (letter.isalnum() or letter in "-_")), len(token)
        )
        return f"illegal base64 data at input byte {bad}"
    if not text:
        return "unexpected end of JSON input"
    letter = chr(text[0]) if 0x20 <= text[0] < 0x7F else f"\\u{text[0]:04x}"
    return f"invalid character '{letter}' looking for beginning of value"


def _position(obj: Obj) -> list[str]:
    return [obj["metadata"].get("namespace") or "", obj["metadata"]["name"]]
