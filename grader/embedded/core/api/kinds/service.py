"""The Service kind: defaults, warnings, and what a change of type wipes.

Sources: pkg/apis/core/v1/defaults.go, pkg/registry/core/service/strategy.go, pkg/api/service/warnings.go (1.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import FieldError
from grader.embedded.core.api.kinds import names, service_alloc, service_rules
from grader.embedded.core.api.kinds.service_rules import externally_accessible, headless, needs_health_check
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
# Three hours (k8s.io/api/core/v1/types.go): a learner who "just waits" sees no other Pod.
DEFAULT_AFFINITY_SECONDS = 10800
_HINTS = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"


class ServiceStrategy(Strategy):
    """Services."""

    name_form = staticmethod(names.dns_label)
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        """SetDefaults_Service."""
        spec: Spec = obj.setdefault("spec", {})
        spec.setdefault("sessionAffinity", "None")
        if spec["sessionAffinity"] == "None":
            spec.pop("sessionAffinityConfig", None)
        elif spec["sessionAffinity"] == "ClientIP":
            seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
            seconds = DEFAULT_AFFINITY_SECONDS if seconds is None else seconds
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": seconds}}
        spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports", ()):
            port.setdefault("port", 0)
            port.setdefault("protocol", "TCP")
            if port.get("targetPort", 0) in (0, ""):
                port["targetPort"] = port.get("port", 0)
        if externally_accessible(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] in ("NodePort", "LoadBalancer", "ClusterIP"):
            spec.setdefault("internalTrafficPolicy", "Cluster")
        balancer = obj.setdefault("status", {}).setdefault("loadBalancer", {})
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
            for ingress in balancer.get("ingress", ()):
                if ingress.get("ip"):
                    ingress.setdefault("ipMode", "VIP")

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """Allocate addresses and ports."""
        service_alloc.allocate_create(obj, context)

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """A creator sets no status."""
        obj["status"] = {"loadBalancer": {}}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateServiceCreate."""
        return service_rules.validate(obj, None)

    def begin_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Allocate, keep and release addresses and ports."""
        if not context.subresource:
            service_alloc.allocate_update(obj, old, context)

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Keep the status, wipe what the new type has no use for (DropTypeDependentFields)."""
        if context.subresource:
            return
        spec, before = obj["spec"], old["spec"]
        if before["type"] != "ExternalName" and spec["type"] == "ExternalName":
            if service_rules.same_cluster_ips(before, spec):
                spec.pop("clusterIP", None)
                spec.pop("clusterIPs", None)
            for field in ("ipFamilies", "ipFamilyPolicy"):
                if spec.get(field) == before.get(field):
                    spec.pop(field, None)
        node_port_types = ("NodePort", "LoadBalancer")
        if before["type"] in node_port_types and spec["type"] not in node_port_types:
            if _node_ports(spec) <= _node_ports(before):
                for port in spec.get("ports", ()):
                    port.pop("nodePort", None)
        if needs_health_check(before) and not needs_health_check(spec):
            _wipe(spec, before, "healthCheckNodePort")
        if before["type"] == "LoadBalancer" and spec["type"] != "LoadBalancer":
            _wipe(spec, before, "allocateLoadBalancerNodePorts")
            _wipe(spec, before, "loadBalancerClass")
        if externally_accessible(before) and not externally_accessible(spec):
            _wipe(spec, before, "externalTrafficPolicy")
        if spec["type"] == "ExternalName":
            spec.pop("internalTrafficPolicy", None)
        if spec["type"] != "LoadBalancer":
            obj["status"] = {**obj["status"], "loadBalancer": {}}

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateServiceUpdate."""
        return [] if context.subresource else service_rules.validate_update(obj, old)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """GetWarningsForService."""
        spec = obj["spec"]
        kind = spec["type"]
        found: list[str] = []
        if _HINTS in (obj["metadata"].get("annotations") or {}):
            found.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
        for index, ip in enumerate(spec.get("clusterIPs", ())):
            if ip != "None":
                found += names.ip_warnings(f"spec.clusterIPs[{index}]", ip)
        if headless(spec):
            if spec.get("loadBalancerIP"):
                found.append("spec.loadBalancerIP is ignored for headless services")
            if spec.get("externalIPs"):
                found.append("spec.externalIPs is ignored for headless services")
            if spec.get("sessionAffinity") != "None":
                found.append("spec.SessionAffinity is ignored for headless services")
        for index, ip in enumerate(spec.get("externalIPs", ())):
            found += names.ip_warnings(f"spec.externalIPs[{index}]", ip)
        if spec.get("externalIPs") and not headless(spec) and kind != "ExternalName":
            found.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
        if spec.get("loadBalancerIP"):
            found += names.ip_warnings("spec.loadBalancerIP", spec["loadBalancerIP"])
        for index, value in enumerate(spec.get("loadBalancerSourceRanges", ())):
            found += names.cidr_warnings(f"spec.loadBalancerSourceRanges[{index}]", value)
        if kind == "ExternalName" and spec.get("externalIPs"):
            found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
        if kind != "ExternalName" and spec.get("externalName"):
            found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
        if spec.get("trafficDistribution") == "PreferClose":
            found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
        return found

    def after_delete(self, obj: Obj, context: HookContext) -> None:
        """The Endpoints object of the same name goes with its Service (storage.go afterDelete)."""
        meta = obj["metadata"]
        if not context.dry_run:
            context.store.delete("endpoints", meta["namespace"], meta["name"])


def _wipe(spec: Spec, before: Spec, field: str) -> None:
    if spec.get(field) == before.get(field):
        spec.pop(field, None)


def _node_ports(spec: Spec) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}
