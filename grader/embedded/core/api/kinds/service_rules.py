"""What a Service must be: validation as pkg/apis/core/validation/validation.go (1.36) does it, in its order."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import FieldError, duplicate, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("Cluster", "Local")
AFFINITY_LIMIT = 86400  # a day (pkg/apis/core/types.go MaxClientIPServiceAffinitySeconds)
_LOCAL_ONLY = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
_LOAD_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"
_RANGES_KEY = "service.beta.kubernetes.io/load-balancer-source-ranges"


def headless(spec: Spec) -> bool:
    """IsHeadlessService."""
    return spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"


def externally_accessible(spec: Spec) -> bool:
    """ExternallyAccessible (pkg/api/service/util.go)."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Spec) -> bool:
    """NeedsHealthCheck (pkg/api/service/util.go)."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def same_cluster_ips(before: Spec, spec: Spec) -> bool:
    """Whether neither clusterIP nor clusterIPs changed."""
    return before.get("clusterIP") == spec.get("clusterIP") and before.get("clusterIPs") == spec.get("clusterIPs")


def validate(service: Obj, old: Obj | None) -> list[FieldError]:
    """ValidateService."""
    spec: Spec = service["spec"]
    before: Spec = old["spec"] if old else {}
    ports: list[Spec] = spec.get("ports", [])
    kind = spec.get("type", "")
    errors: list[FieldError] = []
    if not ports and spec.get("clusterIPs") != ["None"] and kind != "ExternalName":
        errors.append(required("spec.ports"))
    errors += _by_type(spec, kind)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        errors += _port(port, f"spec.ports[{index}]", len(ports) > 1, seen)
    errors += names.labels(spec.get("selector") or {}, "spec.selector")
    errors += _affinity(spec)
    errors += family_errors(spec, tuple(before.get("clusterIPs", ())))
    for index, ip in enumerate(spec.get("externalIPs", ())):
        path = f"spec.externalIPs[{index}]"
        errors += names.legacy_ip(path, ip, tuple(before.get("externalIPs", ()))) or names.endpoint_ip(path, ip)
    if not kind:
        errors.append(required("spec.type"))
    elif kind not in TYPES:
        errors.append(not_supported("spec.type", kind, TYPES))
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                errors.append(forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'"))
    errors += _duplicates(ports)
    errors += _source_ranges(service, before)
    if "allocateLoadBalancerNodePorts" in spec and kind != "LoadBalancer":
        errors.append(forbidden("spec.allocateLoadBalancerNodePorts", _LOAD_BALANCER_ONLY))
    errors += _load_balancer_class(None, spec)
    errors += _traffic_policies(spec)
    return errors


def validate_update(service: Obj, old: Obj) -> list[FieldError]:
    """ValidateServiceUpdate, metadata apart."""
    spec, before = service["spec"], old["spec"]
    errors = _cluster_ip_changes(spec, before) + _family_changes(spec, before) + _load_balancer_class(before, spec)
    if needs_health_check(before) and needs_health_check(spec):
        if spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
            errors.append(forbidden("spec.healthCheckNodePort", "field is immutable"))
    return errors + validate(service, old)


def _by_type(spec: Spec, kind: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if kind in ("LoadBalancer", "NodePort"):
        if spec.get("clusterIP") == "None" and spec.get("clusterIPs"):
            text = f"may not be set to 'None' for {kind} services"
            errors.append(invalid("spec.clusterIPs[0]", spec["clusterIPs"][0], text))
    elif kind == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field) not in (None, []):
                errors.append(forbidden(f"spec.{field}", "may not be set for ExternalName services"))
        name = spec.get("externalName", "").removesuffix(".")
        if name:
            errors += [invalid("spec.externalName", name, text) for text in names.dns_subdomain(name)]
        else:
            errors.append(required("spec.externalName"))
    return errors


def _port(port: Spec, path: str, name_needed: bool, seen: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    name = port.get("name", "")
    if name_needed and not name:
        errors.append(required(f"{path}.name"))
    elif name:
        errors += [invalid(f"{path}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
    number = port.get("port", 0)
    errors += [invalid(f"{path}.port", number, text) for text in names.port_number(number)]
    protocol = port.get("protocol", "")
    if not protocol:
        errors.append(required(f"{path}.protocol"))
    elif protocol not in names.PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", protocol, names.PROTOCOLS))
    errors += port_or_name(port.get("targetPort", 0), f"{path}.targetPort")
    if "appProtocol" in port:
        errors += [
            invalid(f"{path}.appProtocol", port["appProtocol"], text) for text in names.label_key(port["appProtocol"])
        ]
    return errors


def port_or_name(value: int | str, path: str) -> list[FieldError]:
    """ValidatePortNumOrName."""
    if isinstance(value, int):
        return [invalid(path, value, text) for text in names.port_number(value)]
    return [invalid(path, value, text) for text in names.port_name(value)]


def _affinity(spec: Spec) -> list[FieldError]:
    affinity = spec.get("sessionAffinity", "")
    config = spec.get("sessionAffinityConfig")
    if not affinity:
        return [required("spec.sessionAffinity")]
    if affinity not in ("ClientIP", "None"):
        return [not_supported("spec.sessionAffinity", affinity, ("ClientIP", "None"))]
    if affinity == "None":
        text = "must not be set when session affinity is None"
        return [forbidden("spec.sessionAffinityConfig", text)] if config is not None else []
    path, node = "spec.sessionAffinityConfig", config
    for field in ("clientIP", "timeoutSeconds"):
        if node is None:
            break
        path, node = f"{path}.{field}", node.get(field)
    if node is None:
        return [required(path, "when session affinity type is ClientIP")]
    if not 0 < node <= AFFINITY_LIMIT:
        return [invalid(path, node, f"must be greater than 0 and less than {AFFINITY_LIMIT}")]
    return []


def family_errors(spec: Spec, known: tuple[str, ...]) -> list[FieldError]:
    """ValidateServiceClusterIPsRelatedFields."""
    if spec.get("type") == "ExternalName":
        return []
    ips: list[str] = spec.get("clusterIPs", [])
    families: list[str] = spec.get("ipFamilies", [])
    errors: list[FieldError] = []
    if spec.get("clusterIP"):
        if not ips:
            errors.append(required("spec.clusterIPs"))
        elif ips[0] != spec["clusterIP"]:
            errors.append(invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"))
    elif ips:
        errors.append(invalid("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"))
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            errors.append(not_supported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6")))
        if family in families[:index]:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", family))
    policy = spec.get("ipFamilyPolicy")
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    if policy is not None and policy not in policies:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, policies))
    bad = False
    for index, ip in enumerate(ips):
        if index == 0 and ip == "None":
            if len(ips) > 1:
                bad = True
                errors.append(invalid("spec.clusterIPs", ips, "'None' must be the first and only value"))
            continue
        found = names.legacy_ip(f"spec.clusterIPs[{index}]", ip, known)
        bad = bad or bool(found)
        errors += found
    if len(ips) > 2:
        errors.append(invalid("spec.clusterIPs", ips, "may only hold up to 2 values"))
    if bad:
        return errors
    if len(ips) > 1 and len({":" in ip for ip in ips}) == 1:
        errors.append(invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"))
    if not headless(spec):
        for index, (ip, family) in enumerate(zip(ips, families, strict=False)):
            if family in ("IPv4", "IPv6") and (":" in ip) != (family == "IPv6"):
                text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
                errors.append(invalid(f"spec.clusterIPs[{index}]", ip, text))
    return errors


def _duplicates(ports: list[Spec]) -> list[FieldError]:
    errors: list[FieldError] = []
    node_ports: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("nodePort"))
        if port.get("nodePort"):
            if key in node_ports:
                errors.append(duplicate(f"spec.ports[{index}].nodePort", port["nodePort"]))
            node_ports.add(key)
    seen: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            errors.append(duplicate(f"spec.ports[{index}]", shown))
        seen.add(key)
    return errors


def _source_ranges(service: Obj, before: Spec) -> list[FieldError]:
    spec = service["spec"]
    ranges = spec.get("loadBalancerSourceRanges")
    annotation = (service["metadata"].get("annotations") or {}).get(_RANGES_KEY)
    errors: list[FieldError] = []
    if ranges:
        path = "spec.LoadBalancerSourceRanges"
        if spec.get("type") != "LoadBalancer":
            errors.append(forbidden(path, _LOAD_BALANCER_ONLY))
        known = tuple(value.strip() for value in before.get("loadBalancerSourceRanges", ()))
        for index, value in enumerate(ranges):
            errors += names.legacy_cidr(f"{path}[{index}]", value.strip(), known)
    elif annotation is not None:
        path = f"metadata.annotations[{_RANGES_KEY}]"
        if spec.get("type") != "LoadBalancer":
            errors.append(forbidden(path, _LOAD_BALANCER_ONLY))
        for value in annotation.split(",") if annotation.strip() else ():
            errors += names.legacy_cidr(path, value.strip())
    return errors


def _load_balancer_class(before: Spec | None, spec: Spec) -> list[FieldError]:
    path, value = "spec.loadBalancerClass", spec.get("loadBalancerClass")
    errors: list[FieldError] = []
    if before is not None and before.get("type") == spec.get("type") == "LoadBalancer":
        if before.get("loadBalancerClass") != value:
            errors.append(invalid(path, value, "may not change once set"))
    if value is not None:
        if spec.get("type") == "LoadBalancer":
            errors += [invalid(path, value, text) for text in names.label_key(value)]
        else:
            errors.append(forbidden(path, _LOAD_BALANCER_ONLY))
    return errors


def _traffic_policies(spec: Spec) -> list[FieldError]:
    errors: list[FieldError] = []
    path, policy = "spec.externalTrafficPolicy", spec.get("externalTrafficPolicy", "")
    if not externally_accessible(spec):
        if policy:
            errors.append(invalid(path, policy, "may only be set for externally-accessible services"))
    elif not policy:
        errors.append(required(path))
    elif policy not in POLICIES:
        errors.append(not_supported(path, policy, POLICIES))
    path, port = "spec.healthCheckNodePort", spec.get("healthCheckNodePort", 0)
    if not needs_health_check(spec):
        if port:
            errors.append(invalid(path, port, _LOCAL_ONLY))
    elif not port:
        errors.append(required(path))
    else:
        errors += [invalid(path, port, text) for text in names.port_number(port)]
    path, internal = "spec.internalTrafficPolicy", spec.get("internalTrafficPolicy")
    if internal is None:
        if spec.get("type") in ("NodePort", "LoadBalancer", "ClusterIP"):
            errors.append(required(path))
    elif internal not in POLICIES:
        errors.append(not_supported(path, internal, POLICIES))
    distribution = spec.get("trafficDistribution")
    known = ("PreferClose", "PreferSameZone", "PreferSameNode")
    if distribution is not None and distribution not in known:
        errors.append(not_supported("spec.trafficDistribution", distribution, known))
    return errors


def _cluster_ip_changes(spec: Spec, before: Spec) -> list[FieldError]:
    """ValidateUpgradeDowngradeClusterIPs."""
    if "ExternalName" in (spec.get("type"), before.get("type")) or (headless(spec) and headless(before)):
        return []
    new, old = spec.get("clusterIPs", []), before.get("clusterIPs", [])
    errors: list[FieldError] = []
    if len(new) == len(old):
        for index, (ip, kept) in enumerate(zip(new, old, strict=True)):
            if ip != kept:
                errors.append(invalid(f"spec.clusterIPs[{index}]", new, "may not change once set"))
        return errors
    if not new:
        errors.append(invalid("spec.clusterIPs[0]", None, "primary clusterIP can not be unset"))
    elif old and new[0] != old[0]:
        errors.append(invalid("spec.clusterIPs[0]", new, "may not change once set"))
    if len(old) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text))
    return errors


def _family_changes(spec: Spec, before: Spec) -> list[FieldError]:
    """ValidateUpgradeDowngradeIPFamilies."""
    if "ExternalName" in (spec.get("type"), before.get("type")) or headless(spec) or headless(before):
        return []
    new, old = spec.get("ipFamilies", []), before.get("ipFamilies", [])
    if len(new) == len(old):
        changed = [1 for family, kept in zip(new, old, strict=True) if family != kept]
        return [invalid("spec.ipFamilies[0]", new, "may not change once set") for _ in changed]
    errors: list[FieldError] = []
    if new and old and new[0] != old[0]:
        errors.append(invalid("spec.ipFamilies[0]", spec.get("clusterIPs"), "may not change once set"))
    if len(old) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text))
    return errors
