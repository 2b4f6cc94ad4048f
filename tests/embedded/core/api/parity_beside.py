"""Cases of parity_cases.py about what stands beside Services: Ingresses, NetworkPolicies, PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

Tree = dict[str, Any]
BESIDE = {
    "Ingress": "networking.k8s.io/v1/ingresses",
    "NetworkPolicy": "networking.k8s.io/v1/networkpolicies",
    "PodDisruptionBudget": "policy/v1/poddisruptionbudgets",
}
"""Where the kinds are served."""
BOOKS: Tree = {"service": {"name": "books", "port": {"number": 80}}}


def _obj(kind: str, spec: Tree, **meta: Any) -> Tree:
    group, version, _ = BESIDE[kind].split("/")
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "web", **meta}, "spec": spec}


def _ingress(*rules: Tree, **spec: Any) -> Tree:
    return _obj("Ingress", {**({"rules": list(rules)} if rules else {}), **spec})


def _rule(path: Tree | None = None, **rule: Any) -> Tree:
    return {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BOOKS, **(path or {})}]}, **rule}


def _policy(**spec: Any) -> Tree:
    return _obj("NetworkPolicy", {"podSelector": {"matchLabels": {"app": "web"}}, **spec})


def _budget(**spec: Any) -> Tree:
    return _obj("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "web"}}, **spec})


CASES: dict[str, Tree] = {
    "ingress": _ingress(_rule(host="books.example.com"), tls=[{"hosts": ["books.example.com"], "secretName": "tls"}]),
    "ingress-default-backend": _ingress(defaultBackend=BOOKS, ingressClassName="none"),
    "ingress-wildcard": _ingress(_rule(host="*.example.com")),
    "ingress-empty": _ingress(),
    "ingress-no-paths": _ingress({"http": {"paths": []}}),
    "ingress-no-path-type": _ingress({"http": {"paths": [{"path": "/", "backend": BOOKS}]}}),
    "ingress-path-type": _ingress(_rule({"pathType": "Regex"})),
    "ingress-relative-path": _ingress(_rule({"path": "books"}), _rule({"path": "", "pathType": "Exact"})),
    "ingress-paths": _ingress(_rule({"path": "/a//b/./c/.."}), _rule({"path": "/a%2fb/.", "pathType": "Exact"})),
    "ingress-any-path": _ingress(
        _rule({"path": "", "pathType": "ImplementationSpecific"}),
        _rule({"path": "a//", "pathType": "ImplementationSpecific"}),
    ),
    "ingress-hosts": _ingress(_rule(host="192.0.2.1"), _rule(host="a*.example.com"), _rule(host="Books")),
    "ingress-no-backend": _ingress(_rule({"backend": {}})),
    "ingress-no-port": _ingress(_rule({"backend": {"service": {"name": "books"}}})),
    "ingress-two-ports": _ingress(
        _rule({"backend": {"service": {"name": "books", "port": {"name": "http", "number": 80}}}})
    ),
    "ingress-ports": _ingress(
        _rule({"backend": {"service": {"name": "Books", "port": {"name": "HTTP_1"}}}}),
        _rule({"backend": {"service": {"name": "", "port": {"number": 70000}}}}),
    ),
    "ingress-two-backends": _ingress(
        _rule({"backend": {**BOOKS, "resource": {"kind": "Bucket", "name": "b", "apiGroup": "example.com"}}})
    ),
    "ingress-resource": _ingress(_rule({"backend": {"resource": {"kind": "", "name": ""}}})),
    "ingress-tls": _ingress(_rule(), tls=[{"hosts": ["*", "B"], "secretName": "No"}]),
    "ingress-class": _ingress(_rule(), ingressClassName="No Class"),
    "ingress-annotation": _obj("Ingress", {"rules": [_rule()]}, annotations={"kubernetes.io/ingress.class": "nginx"}),
    "ingress-two-classes": _obj(
        "Ingress",
        {"rules": [_rule()], "ingressClassName": "one"},
        annotations={"kubernetes.io/ingress.class": "two"},
    ),
    "policy": _policy(ingress=[{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]),
    "policy-egress": _policy(egress=[{"ports": [{"port": "http", "protocol": "UDP"}]}]),
    "policy-nothing": _obj("NetworkPolicy", {"podSelector": {}}),
    "budget": _budget(minAvailable=1),
    "budget-share": _budget(maxUnavailable="50%", unhealthyPodEvictionPolicy="AlwaysAllow"),
    "budget-both": _budget(minAvailable=1, maxUnavailable=1),
    "budget-much": _budget(minAvailable="101%", unhealthyPodEvictionPolicy="Never"),
    "budget-negative": _budget(maxUnavailable=-1),
    "budget-nothing": _obj("PodDisruptionBudget", {}),
}
