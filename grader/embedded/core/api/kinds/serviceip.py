"""IPAddresses and ServiceCIDRs: which addresses Services have, and from where they get them.

Sources: pkg/apis/networking/validation/validation.go (ValidateIPAddress, ValidateServiceCIDR and their updates),
pkg/registry/networking/{ipaddress,servicecidr}/strategy.go (1.36).
"""

from __future__ import annotations

from grader.embedded.core.api.http.field import FieldError, invalid, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import IMMUTABLE, HookContext, Strategy, WithStatus, immutable
from grader.embedded.core.store import Obj


class IPAddressStrategy(Strategy):
    """IPAddresses: the name is the address."""

    namespaced = False
    name_form = staticmethod(names.canonical_ip)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """What is wrong with the parent (validateIPAddressParentReference)."""
        parent = (obj.get("spec") or {}).get("parentRef")
        path = "spec.parentRef"
        if parent is None:
            return [required(path)]
        errors: list[FieldError] = []
        if group := parent.get("group"):
            errors += [invalid(f"{path}.group", group, text) for text in names.dns_subdomain(group)]
        for field in ("resource", "name", "namespace"):
            value = parent.get(field) or ""
            if not value and field != "namespace":
                errors.append(required(f"{path}.{field}"))
            errors += [invalid(f"{path}.{field}", value, text) for text in names.path_segment(value)]
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateIPAddressUpdate."""
        parent, before = ((one.get("spec") or {}).get("parentRef") for one in (obj, old))
        return self.validate(obj, context) + immutable(parent, before, "spec.parentRef")


class ServiceCIDRStrategy(WithStatus):
    """ServiceCIDRs."""

    namespaced = False

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """The status is a controller's."""
        obj["status"] = {}

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """A status changes by its subresource, everything else without it."""
        super().prepare_update(obj, old, context)
        if context.subresource == "status":
            obj["spec"] = old["spec"]

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """What is wrong with the networks (validateServiceCIDRSpec)."""
        path, cidrs = "spec.cidrs", _cidrs(obj)
        if not cidrs:
            return [required(path, "at least one CIDR required")]
        if len(cidrs) > 2:
            return [invalid(path, obj["spec"], "may only hold up to 2 values")]
        errors = [error for index, cidr in enumerate(cidrs) for error in names.strict_cidr(f"{path}[{index}]", cidr)]
        families = {found.version for cidr in cidrs if (found := names.network(cidr))}
        if len(cidrs) == 2 and len(families) == 1 and not errors:
            text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            errors.append(invalid(path, cidrs, text))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateServiceCIDRUpdate: what is there stays; a second family may be added."""
        path, cidrs, before = "spec.cidrs", _cidrs(obj), _cidrs(old)
        if len(cidrs) != len(before) and (len(before), len(cidrs)) != (1, 2):
            return [invalid(path, cidrs, IMMUTABLE)]
        errors = [
            invalid(f"{path}[{index}]", cidr, IMMUTABLE)
            for index, (cidr, kept) in enumerate(zip(cidrs, before, strict=False))
            if cidr != kept
        ]
        return errors if len(cidrs) == len(before) else errors + self.validate(obj, context)


def _cidrs(obj: Obj) -> list[str]:
    return list((obj.get("spec") or {}).get("cidrs") or ())
