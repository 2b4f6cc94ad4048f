"""ComponentStatuses: made up for each question, stored nowhere; the emulated control plane is always well.

Source: Kubernetes v1.36.3 pkg/registry/core/componentstatus/rest.go; only get and list, deprecated since 1.19.
"""

from __future__ import annotations

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import Response
from grader.embedded.core.api.http.negotiate import body
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.read import selectors, tables
from grader.embedded.core.api.read.headers import kind_headers
from grader.embedded.core.store import Obj

COMPONENTS = ("controller-manager", "etcd-0", "scheduler")
_HEALTHY = {"type": "Healthy", "status": "True", "message": "ok"}


def read(call: Call) -> Response:
    """Answer a request for one or for all. Raises ApiError (400, 404, 405)."""
    request, target, resource = call.request, call.target, call.resource
    if request.method not in ("GET", "HEAD"):
        raise status.method_not_allowed()
    if request.flag("watch") or target.watch:
        why = f'watch is not supported on resources of kind "{resource.plural}"'
        raise status.ApiError(405, "MethodNotAllowed", why, {"kind": resource.plural})
    match = selectors.matcher(request.param("labelSelector"), request.param("fieldSelector"), resource.plural)
    if target.name and target.name not in COMPONENTS:
        raise status.not_found("componentstatus", "", target.name)
    names = (target.name,) if target.name else COMPONENTS
    items = [item for item in map(_component, names) if target.name or match(item)]
    kind = {"kind": resource.kind, "apiVersion": resource.api_version}
    if call.negotiated.as_kind == "Table":
        content = tables.table([{**kind, **item} for item in items], resource, "", request, 0.0)
    elif target.name:
        content = {**kind, **items[0]}
    else:
        content = {**kind, "kind": f"{resource.kind}List", "metadata": {}, "items": items}
    data, content_type = body(content, call.negotiated)
    return Response(200, kind_headers(resource, content_type), data)


def _component(name: str) -> Obj:
    return {"metadata": {"name": name}, "conditions": [dict(_HEALTHY)]}
