"""Tables of `kubectl get` (meta.k8s.io/v1 Table): one row an object, cells as kube-apiserver prints them.

Source: pkg/printers/internalversion/printers.go (1.36); Pods, storage and what makes Pods have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.embedded.core.api.http.messages import Request, Tree
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.read import views
from grader.embedded.core.api.read.cells import NONE, Cells, age_of, labels_text, name_of
from grader.embedded.core.api.read.columns import COLUMNS, DEFAULT, SCALE, Column
from grader.embedded.core.api.read.durations import age
from grader.embedded.core.api.read.scale import selector_text
from grader.embedded.core.api.read.tables_pod import pod_cells
from grader.embedded.core.api.read.tables_storage import claim_cells, class_cells, volume_cells
from grader.embedded.core.api.read.tables_workloads import (
    autoscaler_cells,
    cron_job_cells,
    daemon_set_cells,
    deployment_cells,
    job_cells,
    replica_set_cells,
    revision_cells,
    stateful_set_cells,
)
from grader.embedded.core.store import Obj


def table(objects: Sequence[Obj], resource: Resource, version: str, request: Request, now: float) -> Tree:
    """The Table of objects; `now` is in seconds since the epoch."""
    include = request.param("includeObject") or "Metadata"
    cells = _PRINTERS.get(resource.plural, _plain)
    rows = []
    for obj in objects:
        row: Tree = {"cells": cells(obj, now)}
        if include == "Object":
            row["object"] = views.shown(obj, resource)
        elif include == "Metadata":
            row["object"] = views.partial(obj)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": _definitions(COLUMNS.get(resource.plural, DEFAULT)),
        "rows": rows,
    }


def bookmark(obj: Tree, resource: Resource) -> Tree:
    """The Table of a BOOKMARK event: a row without cells."""
    content: Tree = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
        "columnDefinitions": _definitions(COLUMNS.get(resource.plural, DEFAULT)),
        "rows": [{"cells": [None for _ in COLUMNS.get(resource.plural, DEFAULT)], "object": obj}],
    }
    return content


def scale_table(scale: Tree, now: float) -> Tree:
    """The Table of a Scale."""
    counts = [scale["spec"].get("replicas", 0), scale["status"].get("replicas", 0)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]},
        "columnDefinitions": _definitions(SCALE),
        "rows": [{"cells": [name_of(scale), *counts, age_of(scale, now)], "object": views.partial(scale)}],
    }


def _definitions(columns: Sequence[Column]) -> list[Tree]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": "",
            "priority": 1 if column.wide else 0,
        }
        for column in columns
    ]


def _plain(obj: Obj, now: float) -> Cells:
    return [name_of(obj), age_of(obj, now)]


def _service(obj: Obj, now: float) -> Cells:
    spec = obj["spec"]
    ports = ",".join(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in spec.get("ports", ())
    )
    internal = spec["clusterIPs"][0] if spec.get("clusterIPs") else NONE
    selector = labels_text(spec.get("selector"))
    return [name_of(obj), spec["type"], internal, _external(obj), ports or NONE, age_of(obj, now), selector]


def _external(obj: Obj) -> str:
    spec = obj["spec"]
    listed: list[str] = list(spec.get("externalIPs", ()))
    if spec["type"] == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec["type"] == "LoadBalancer":
        ingress = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
        found = ",".join(sorted({item.get("ip") or item.get("hostname") or "" for item in ingress} - {""}))
        listed = [*([found] if found else []), *listed]
        return ",".join(listed) or "<pending>"
    return ",".join(listed) or NONE


def _endpoints(obj: Obj, now: float) -> Cells:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [address["ip"] for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        found += [f"{ip}:{port['port']}" for port in ports for ip in addresses] if ports else addresses
    return [name_of(obj), _some(found) if obj.get("subsets") else NONE, age_of(obj, now)]


def _some(listed: Sequence[str]) -> str:
    text = ",".join(listed[:3])
    return f"{text} + {len(listed) - 3} more..." if len(listed) > 3 else text


def _listed(values: Sequence[str]) -> str:
    return _some(values) or "<unset>"


def _endpoint_slice(obj: Obj, now: float) -> Cells:
    ports = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses", ())]
    return [name_of(obj), obj.get("addressType", ""), _listed(ports), _listed(addresses), age_of(obj, now)]


def _node(obj: Obj, now: float) -> Cells:
    state = obj.get("status") or {}
    ready = next((item["status"] for item in state.get("conditions") or () if item["type"] == "Ready"), "")
    shown = ["Ready" if ready == "True" else "NotReady" if ready else "Unknown"]
    if obj.get("spec", {}).get("unschedulable"):
        shown.append("SchedulingDisabled")
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    info = state.get("nodeInfo") or {}
    addresses = {item["type"]: item["address"] for item in reversed(state.get("addresses") or [])}
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [
        name_of(obj),
        ",".join(shown),
        ",".join(sorted(roles)) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _event(obj: Obj, now: float) -> Cells:
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last, count = age(series.get("lastObservedTime"), now), series.get("count", 1)
    about = obj.get("involvedObject") or {}
    kind = about.get("kind", "").lower()
    source = obj.get("source") or {}
    where = [source.get("component") or obj.get("reportingComponent", "")]
    instance = source.get("host") or obj.get("reportingInstance", "")
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        ", ".join([*where, instance] if instance else where),
        obj.get("message", "").strip(),
        first,
        count,
        name_of(obj),
    ]


def _namespace(obj: Obj, now: float) -> Cells:
    return [name_of(obj), (obj.get("status") or {}).get("phase", ""), age_of(obj, now)]


def _config_map(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age_of(obj, now)]


def _secret(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age_of(obj, now)]


def _lease(obj: Obj, now: float) -> Cells:
    return [name_of(obj), (obj.get("spec") or {}).get("holderIdentity", ""), age_of(obj, now)]


def _network_policy(obj: Obj, now: float) -> Cells:
    return [name_of(obj), selector_text((obj.get("spec") or {}).get("podSelector") or {}) or NONE, age_of(obj, now)]


def _ingress(obj: Obj, now: float) -> Cells:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    address = ",".join(item.get("ip") or item.get("hostname", "") for item in balancer.get("ingress") or ())
    ports = "80, 443" if spec.get("tls") else "80"
    return [name_of(obj), spec.get("ingressClassName") or NONE, _some(hosts) or "*", address, ports, age_of(obj, now)]


def _service_cidr(obj: Obj, now: float) -> Cells:
    return [name_of(obj), ",".join((obj.get("spec") or {}).get("cidrs") or ()), age_of(obj, now)]


def _ip_address(obj: Obj, now: float) -> Cells:
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    return [
        name_of(obj),
        f"{parent.get('resource', '')}/{parent.get('namespace', '')}/{parent.get('name', '')}",
        age_of(obj, now),
    ]


def _limit_range(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj["metadata"]["creationTimestamp"]]


def _quota(obj: Obj, now: float) -> Cells:
    state = obj.get("status") or {}
    used = state.get("used") or {}
    told = [(name, f"{name}: {used.get(name, 0)}/{hard}") for name, hard in sorted((state.get("hard") or {}).items())]
    limits = [text for name, text in told if name.startswith("limits.")]
    return [
        name_of(obj),
        ", ".join(text for _, text in told if text not in limits),
        ", ".join(limits),
        age_of(obj, now),
    ]


def _budget(obj: Obj, now: float) -> Cells:
    spec = obj.get("spec") or {}
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [name_of(obj), *limits, (obj.get("status") or {}).get("disruptionsAllowed", 0), age_of(obj, now)]


def _component(obj: Obj, now: float) -> Cells:
    condition = next(item for item in obj["conditions"] if item["type"] == "Healthy")
    healthy = "Healthy" if condition["status"] == "True" else "Unhealthy"
    return [name_of(obj), healthy, condition.get("message", ""), condition.get("error", "")]


def _priority(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj["value"], obj.get("globalDefault", False), age_of(obj, now), obj["preemptionPolicy"]]


def _ingress_class(obj: Obj, now: float) -> Cells:
    return [name_of(obj), (obj.get("spec") or {}).get("controller", ""), NONE, age_of(obj, now)]


_PRINTERS: dict[str, Callable[[Obj, float], Cells]] = {
    "configmaps": _config_map,
    "controllerrevisions": revision_cells,
    "cronjobs": cron_job_cells,
    "daemonsets": daemon_set_cells,
    "deployments": deployment_cells,
    "endpoints": _endpoints,
    "endpointslices": _endpoint_slice,
    "events": _event,
    "componentstatuses": _component,
    "horizontalpodautoscalers": autoscaler_cells,
    "ingressclasses": _ingress_class,
    "ingresses": _ingress,
    "ipaddresses": _ip_address,
    "jobs": job_cells,
    "leases": _lease,
    "namespaces": _namespace,
    "limitranges": _limit_range,
    "networkpolicies": _network_policy,
    "nodes": _node,
    "priorityclasses": _priority,
    "persistentvolumeclaims": claim_cells,
    "persistentvolumes": volume_cells,
    "poddisruptionbudgets": _budget,
    "pods": pod_cells,
    "replicasets": replica_set_cells,
    "replicationcontrollers": replica_set_cells,
    "resourcequotas": _quota,
    "secrets": _secret,
    "servicecidrs": _service_cidr,
    "services": _service,
    "statefulsets": stateful_set_cells,
    "storageclasses": class_cells,
}
