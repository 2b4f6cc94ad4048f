"""NetworkPolicies as the API checks them; the network heeds them (core/policies.py).

Sources: pkg/apis/networking/validation/validation.go, pkg/apis/networking/v1/defaults.go,
pkg/registry/networking/networkpolicy/strategy.go (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy
from grader.embedded.core.api.kinds.workloads import selector_errors
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
TYPES = ("Ingress", "Egress")
_PEERS = {"ingress": "from", "egress": "to"}


class NetworkPolicyStrategy(Strategy):
    """NetworkPolicies."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_NetworkPolicy, SetDefaults_NetworkPolicyPort."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        for direction in _PEERS:
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateNetworkPolicySpec."""
        return _spec_errors(obj["spec"], ())

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateNetworkPolicyUpdate: blocks that were there before are believed."""
        blocks = [block for _, block in _blocks(old["spec"])]
        return _spec_errors(obj["spec"], tuple(cidr for block in blocks for cidr in _cidrs(block)))

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """NetworkPolicyWarnings: CIDRs that mean something else than they seem to."""
        found: list[str] = []
        for path, block in _blocks(obj["spec"]):
            found += names.cidr_warnings(f"{path}.cidr", block.get("cidr", ""))
            for index, value in enumerate(block.get("except") or ()):
                found += names.cidr_warnings(f"{path}.except[{index}]", value)
        return found


def _peers(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Path and content of each peer, those of ingress rules first."""
    for direction, field in _PEERS.items():
        for index, rule in enumerate(spec.get(direction) or ()):
            for number, peer in enumerate(rule.get(field) or ()):
                yield f"spec.{direction}[{index}].{field}[{number}]", peer


def _blocks(spec: Spec) -> Iterator[tuple[str, Spec]]:
    return ((f"{path}.ipBlock", peer["ipBlock"]) for path, peer in _peers(spec) if peer.get("ipBlock") is not None)


def _cidrs(block: Spec) -> list[str]:
    return [block.get("cidr", ""), *(block.get("except") or ())]


def _spec_errors(spec: Spec, known: tuple[str, ...]) -> list[FieldError]:
    errors = selector_errors(spec["podSelector"], "spec.podSelector")
    for direction in _PEERS:
        for index, rule in enumerate(spec.get(direction) or ()):
            for number, port in enumerate(rule.get("ports") or ()):
                errors += _port_errors(port, f"spec.{direction}[{index}].ports[{number}]")
    for path, peer in _peers(spec):
        errors += _peer_errors(peer, path, known)
    types = spec.get("policyTypes") or []
    if len(types) > len(TYPES):
        return [*errors, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
    return errors + [
        not_supported(f"spec.policyTypes[{index}]", type_, TYPES)
        for index, type_ in enumerate(types)
        if type_ not in TYPES
    ]


def _port_errors(port: Spec, path: str) -> list[FieldError]:
    """ValidateNetworkPolicyPort."""
    number, end = port.get("port"), port.get("endPort")
    errors: list[FieldError] = []
    if port["protocol"] not in names.PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", port["protocol"], names.PROTOCOLS))
    if isinstance(number, int):
        errors += [invalid(f"{path}.port", number, text) for text in names.port_number(number)]
        if end is not None:
            if end < number:
                errors.append(invalid(f"{path}.endPort", number, "must be greater than or equal to `port`"))
            errors += [invalid(f"{path}.endPort", end, text) for text in names.port_number(end)]
        return errors
    if end is not None:
        why = "is not specified" if number is None else "is non-numeric"
        errors.append(invalid(f"{path}.endPort", end, f"may not be specified when `port` {why}"))
    if number is not None:
        errors += [invalid(f"{path}.port", number, text) for text in names.port_name(number)]
    return errors


def _peer_errors(peer: Spec, path: str, known: tuple[str, ...]) -> list[FieldError]:
    """ValidateNetworkPolicyPeer."""
    errors: list[FieldError] = []
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    for field in selectors:
        errors += selector_errors(peer[field], f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        errors += _block_errors(block, f"{path}.ipBlock", known)
        if selectors:
            errors.append(forbidden(path, "may not specify both ipBlock and another peer"))
    elif not selectors:
        errors.append(required(path, "must specify a peer"))
    return errors


def _block_errors(block: Spec, path: str, known: tuple[str, ...]) -> list[FieldError]:
    """ValidateIPBlock."""
    cidr = block.get("cidr", "")
    if not cidr:
        return [required(f"{path}.cidr")]
    errors = names.legacy_cidr(f"{path}.cidr", cidr, known)
    outer = names.network(cidr)
    if outer is None:
        return errors
    for index, value in enumerate(block.get("except") or ()):
        where = f"{path}.except[{index}]"
        errors += names.legacy_cidr(where, value, known)
        inner = names.network(value)
        if inner is not None and (inner.network_address not in outer or inner.prefixlen <= outer.prefixlen):
            errors.append(invalid(where, value, "must be a strict subset of `cidr`"))
    return errors
