"""Tables of `kubectl get` (meta.k8s.io/v1 Table): one row an object, cells as kube-apiserver prints them.

Source: pkg/printers/internalversion/printers.go (1.36); Pods have a module of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from grader.embedded.core.api import views
from grader.embedded.core.api.columns import COLUMNS, DEFAULT, SCALE, Column
from grader.embedded.core.api.durations import age, human, seconds_of
from grader.embedded.core.api.messages import Request, Tree
from grader.embedded.core.api.resources import Resource
from grader.embedded.core.api.scale import selector_text
from grader.embedded.core.api.tables_pod import pod_cells
from grader.embedded.core.api.tables_storage import claim_cells, class_cells, volume_cells
from grader.embedded.core.store import Obj

Cells = list[Any]
"""Cells of a row, in the order of the columns."""
NONE = "<none>"
_LOAD_BALANCER_WIDTH = 16


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
        "rows": [{"cells": [_name(scale), *counts, _age(scale, now)], "object": views.partial(scale)}],
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


def _name(obj: Obj) -> str:
    name: str = obj["metadata"]["name"]
    return name


def _age(obj: Obj, now: float) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _plain(obj: Obj, now: float) -> Cells:
    return [_name(obj), _age(obj, now)]


def _labels(labels: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _containers(pod_spec: Tree) -> Cells:
    containers = pod_spec.get("containers") or ()
    return [",".join(item["name"] for item in containers), ",".join(item.get("image", "") for item in containers)]


def _template(obj: Obj) -> Cells:
    return [*_containers(obj["spec"]["template"]["spec"]), selector_text(obj["spec"].get("selector") or {})]


def _service(obj: Obj, now: float) -> Cells:
    spec = obj["spec"]
    ports = ",".join(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in spec.get("ports", ())
    )
    internal = spec["clusterIPs"][0] if spec.get("clusterIPs") else NONE
    selector = _labels(spec.get("selector"))
    return [_name(obj), spec["type"], internal, _external(obj), ports or NONE, _age(obj, now), selector]


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
    return [_name(obj), _some(found) if obj.get("subsets") else NONE, _age(obj, now)]


def _some(listed: Sequence[str]) -> str:
    text = ",".join(listed[:3])
    return f"{text} + {len(listed) - 3} more..." if len(listed) > 3 else text


def _listed(values: Sequence[str]) -> str:
    return _some(values) or "<unset>"


def _endpoint_slice(obj: Obj, now: float) -> Cells:
    ports = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses", ())]
    return [_name(obj), obj.get("addressType", ""), _listed(ports), _listed(addresses), _age(obj, now)]


def _deployment(obj: Obj, now: float) -> Cells:
    spec, state = obj["spec"], obj.get("status") or {}
    ready = f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [state.get("updatedReplicas", 0), state.get("availableReplicas", 0)]
    return [_name(obj), ready, *counts, _age(obj, now), *_template(obj)]


def _replica_set(obj: Obj, now: float) -> Cells:
    state = obj.get("status") or {}
    counts = [obj["spec"].get("replicas", 0), state.get("replicas", 0), state.get("readyReplicas", 0)]
    return [_name(obj), *counts, _age(obj, now), *_template(obj)]


def _stateful_set(obj: Obj, now: float) -> Cells:
    ready = f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [_name(obj), ready, _age(obj, now), *_containers(obj["spec"]["template"]["spec"])]


def _daemon_set(obj: Obj, now: float) -> Cells:
    state = obj.get("status") or {}
    names = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    selector = _labels(obj["spec"]["template"]["spec"].get("nodeSelector"))
    return [_name(obj), *(state.get(name, 0) for name in names), selector, _age(obj, now), *_template(obj)]


def _job(obj: Obj, now: float) -> Cells:
    spec, state = obj["spec"], obj.get("status") or {}
    done = state.get("succeeded", 0)
    parallel = spec.get("parallelism", 0)
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    duration = ""
    if started := state.get("startTime"):
        ended = state.get("completionTime")
        duration = human((seconds_of(ended) if ended else now) - seconds_of(started))
    conditions = {item["type"] for item in state.get("conditions") or () if item.get("status") == "True"}
    shown = "Running"
    if "Complete" in conditions:
        shown = "Complete"
    elif "Failed" in conditions:
        shown = "Failed"
    elif "deletionTimestamp" in obj["metadata"]:
        shown = "Terminating"
    else:
        shown = next(
            (name for name in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if name in conditions), shown
        )
    return [_name(obj), shown, completions, duration, _age(obj, now), *_template(obj)]


def _cron_job(obj: Obj, now: float) -> Cells:
    spec, state = obj["spec"], obj.get("status") or {}
    last = age(state["lastScheduleTime"], now) if state.get("lastScheduleTime") else NONE
    suspend = str(bool(spec.get("suspend")))
    template = spec["jobTemplate"]["spec"]["template"]["spec"]
    active = len(state.get("active") or ())
    zone = spec.get("timeZone") or NONE
    return [_name(obj), spec["schedule"], zone, suspend, active, last, _age(obj, now), *_containers(template), NONE]


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
        _name(obj),
        ",".join(shown),
        ",".join(sorted(roles)) or NONE,
        _age(obj, now),
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
        _name(obj),
    ]


def _namespace(obj: Obj, now: float) -> Cells:
    return [_name(obj), (obj.get("status") or {}).get("phase", ""), _age(obj, now)]


def _config_map(obj: Obj, now: float) -> Cells:
    return [_name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), _age(obj, now)]


def _secret(obj: Obj, now: float) -> Cells:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or ()), _age(obj, now)]


def _lease(obj: Obj, now: float) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity", ""), _age(obj, now)]


def _network_policy(obj: Obj, now: float) -> Cells:
    return [_name(obj), selector_text((obj.get("spec") or {}).get("podSelector") or {}) or NONE, _age(obj, now)]


def _ingress(obj: Obj, now: float) -> Cells:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    address = ",".join(item.get("ip") or item.get("hostname", "") for item in balancer.get("ingress") or ())
    ports = "80, 443" if spec.get("tls") else "80"
    return [_name(obj), spec.get("ingressClassName") or NONE, _some(hosts) or "*", address, ports, _age(obj, now)]


def _service_cidr(obj: Obj, now: float) -> Cells:
    return [_name(obj), ",".join((obj.get("spec") or {}).get("cidrs") or ()), _age(obj, now)]


def _ip_address(obj: Obj, now: float) -> Cells:
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    return [
        _name(obj),
        f"{parent.get('resource', '')}/{parent.get('namespace', '')}/{parent.get('name', '')}",
        _age(obj, now),
    ]


def _limit_range(obj: Obj, now: float) -> Cells:
    return [_name(obj), obj["metadata"]["creationTimestamp"]]


def _quota(obj: Obj, now: float) -> Cells:
    state = obj.get("status") or {}
    used = state.get("used") or {}
    told = [(name, f"{name}: {used.get(name, 0)}/{hard}") for name, hard in sorted((state.get("hard") or {}).items())]
    limits = [text for name, text in told if name.startswith("limits.")]
    return [_name(obj), ", ".join(text for _, text in told if text not in limits), ", ".join(limits), _age(obj, now)]


def _budget(obj: Obj, now: float) -> Cells:
    spec = obj.get("spec") or {}
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [_name(obj), *limits, (obj.get("status") or {}).get("disruptionsAllowed", 0), _age(obj, now)]


def _autoscaler(obj: Obj, now: float) -> Cells:
    spec, state = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    reference = f"{target.get('kind', '')}/{target.get('name', '')}"
    limits = [str(spec.get("minReplicas", "<unset>")), str(spec.get("maxReplicas", 0))]
    return [_name(obj), reference, _targets(spec), *limits, str(state.get("currentReplicas", 0)), _age(obj, now)]


def _component(obj: Obj, now: float) -> Cells:
    condition = next(item for item in obj["conditions"] if item["type"] == "Healthy")
    healthy = "Healthy" if condition["status"] == "True" else "Unhealthy"
    return [_name(obj), healthy, condition.get("message", ""), condition.get("error", "")]


def _priority(obj: Obj, now: float) -> Cells:
    return [_name(obj), obj["value"], obj.get("globalDefault", False), _age(obj, now), obj["preemptionPolicy"]]


def _targets(spec: Tree) -> str:
    """FormatHPAMetrics, for resource metrics of which nothing is known."""
    found = []
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        target = resource.get("target") or {}
        if "averageUtilization" in target:
            found.append(f"{resource.get('name')}: <unknown>/{target['averageUtilization']}%")
        elif resource:
            found.append(f"{resource.get('name')}: <unknown>/{target.get('averageValue', '<auto>')}")
    return ", ".join(found) or "<none>"


def _revision(obj: Obj, now: float) -> Cells:
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    controller = f"{owner['kind'].lower()}.{owner['apiVersion'].partition('/')[0]}/{owner['name']}" if owner else NONE
    return [_name(obj), controller, str(obj.get("revision", 0)), _age(obj, now)]


def _ingress_class(obj: Obj, now: float) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("controller", ""), NONE, _age(obj, now)]


_PRINTERS: dict[str, Callable[[Obj, float], Cells]] = {
    "configmaps": _config_map,
    "controllerrevisions": _revision,
    "cronjobs": _cron_job,
    "daemonsets": _daemon_set,
    "deployments": _deployment,
    "endpoints": _endpoints,
    "endpointslices": _endpoint_slice,
    "events": _event,
    "componentstatuses": _component,
    "horizontalpodautoscalers": _autoscaler,
    "ingressclasses": _ingress_class,
    "ingresses": _ingress,
    "ipaddresses": _ip_address,
    "jobs": _job,
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
    "replicasets": _replica_set,
    "replicationcontrollers": _replica_set,
    "resourcequotas": _quota,
    "secrets": _secret,
    "servicecidrs": _service_cidr,
    "services": _service,
    "statefulsets": _stateful_set,
    "storageclasses": class_cells,
}
