"""Requests that are connections: exec, attach, log, port-forward and proxy. What is told here is where they go."""

from __future__ import annotations

import re
from typing import Literal, cast

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import Connect
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.kinds.pod import container_names, default_container
from grader.embedded.core.store import Obj, Store

_KINDS = ("exec", "attach", "log", "portforward", "proxy")
Kind = Literal["exec", "attach", "log", "portforward", "proxy"]


def connect(call: Call, store: Store) -> Connect | None:
    """The connection that a request asks for; None where it asks for none. Raises ApiError."""
    request, target = call.request, call.target
    if target.subresource not in _KINDS:
        return None
    kind = cast(Kind, target.subresource)
    if kind == "proxy":
        return _proxy(call, store)
    if request.method not in (("GET",) if kind == "log" else ("GET", "POST")):
        raise status.method_not_allowed()
    pod = store.get("pods", target.namespace, target.name)
    if pod is None:
        raise status.not_found("pods", "", target.name)
    container = "" if kind == "portforward" else _container(request.param("container"), pod)
    return Connect(
        kind, "pods", target.namespace, target.name, tuple(request.query), request.method, container=container
    )


def _container(asked: str, pod: Obj) -> str:
    """The container meant (pkg/registry/core/pod/strategy.go validateContainer). Raises ApiError (400)."""
    name = pod["metadata"]["name"]
    known = list(container_names(pod))
    if not asked:
        if chosen := default_container(pod):
            return chosen
        ordinary = [container["name"] for container in pod["spec"].get("containers", ())]
        initial = [container["name"] for container in pod["spec"].get("initContainers", ())]
        text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(ordinary)}]"
        if initial:
            text += f" or one of the init containers: [{' '.join(initial)}]"
        raise status.bad_request(text)
    if asked not in known:
        raise status.bad_request(f"container {asked} is not valid for pod {name}")
    return asked


def _proxy(call: Call, store: Store) -> Connect:
    """NAME, NAME:PORT or SCHEME:NAME:PORT (k8s.io/apimachinery/pkg/util/net/port_split.go SplitSchemeNamePort)."""
    target, resource = call.target, call.resource
    match = re.fullmatch(r"(?:(https?|):(?=[^:]*:))?([^:]+)(?::([^:]*))?", target.name)
    if match is None:
        raise status.bad_request(f'invalid {resource.singular} request "{target.name}"')
    scheme, name, port = match[1] or "http", match[2], match[3] or ""
    if store.get(resource.plural, target.namespace, name) is None:
        raise status.not_found(resource.plural, resource.group, name)
    return Connect(
        "proxy",
        resource.plural,
        target.namespace,
        name,
        tuple(call.request.query),
        call.request.method,
        port=port,
        scheme=scheme,
        path=target.rest or "/",
    )
