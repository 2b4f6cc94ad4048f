"""Discovery: which groups, versions and resources there are, plain and aggregated.

Shapes: k8s.io/apimachinery/pkg/apis/meta/v1 (APIGroupList, APIResourceList) and k8s.io/api/apidiscovery/v2.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

from grader.embedded.core.api.kinds import registry as resources
from grader.embedded.core.api.kinds.registry import Resource

Tree = dict[str, Any]
VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.3",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_SUBRESOURCE_VERBS = {
    "attach": ["create", "get"],
    "binding": ["create"],
    "eviction": ["create"],
    "exec": ["create", "get"],
    "finalize": ["update"],
    "log": ["get"],
    "portforward": ["create", "get"],
    "token": ["create"],
    "proxy": ["create", "delete", "get", "patch", "update"],
}
_SUBRESOURCE_GROUPS = {
    "Scale": ("autoscaling", "v1"),
    "Eviction": ("policy", "v1"),
    "TokenRequest": ("authentication.k8s.io", "v1"),
}


@cache
def groups() -> tuple[str, ...]:
    """The API groups, without core."""
    return tuple(dict.fromkeys(group for group, _ in resources.GROUP_VERSIONS if group))


def _versions(group: str) -> list[Tree]:
    return [
        {"groupVersion": f"{group}/{version}", "version": version}
        for known, version in resources.GROUP_VERSIONS
        if known == group
    ]


def group(name: str) -> Tree:
    """APIGroup."""
    versions = _versions(name)
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": versions[0]}


def group_list() -> Tree:
    """APIGroupList, the answer to /apis."""
    listed = [{k: v for k, v in group(name).items() if k not in ("kind", "apiVersion")} for name in groups()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def versions() -> Tree:
    """APIVersions, the answer to /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "172.18.0.4:6443"}],
    }


def _storage_hash(resource: Resource) -> str:
    import base64

    stored = resources.STORED[resource.store_name]
    number = zlib.crc32(f"{stored.group}/{stored.version}/{stored.kind}".encode())
    return base64.b64encode(number.to_bytes(8, "big")).decode()


def resource_list(group_name: str, version: str) -> Tree:
    """APIResourceList, the answer to /api/v1 and /apis/GROUP/VERSION."""
    listed: list[Tree] = []
    for resource in resources.in_group(group_name, version):
        entry: Tree = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short:
            entry["shortNames"] = list(resource.short)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        if "get" in resource.verbs:
            entry["storageVersionHash"] = _storage_hash(resource)
        listed.append(entry)
        for name, kind in resource.subresources:
            sub: Tree = {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": kind,
                "verbs": _SUBRESOURCE_VERBS.get(name, ["get", "patch", "update"]),
            }
            if kind in _SUBRESOURCE_GROUPS:
                sub["group"], sub["version"] = _SUBRESOURCE_GROUPS[kind]
            listed.append(sub)
    api_version = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}


@cache
def aggregated(core: bool, version: str) -> Tree:
    """APIGroupDiscoveryList: everything under /api (`core`) or /apis in one answer."""
    items: list[Tree] = []
    for name in ("",) if core else groups():
        found = [
            {
                "version": known_version,
                "resources": [_aggregated_entry(entry) for entry in resources.in_group(name, known_version)],
                "freshness": "Current",
            }
            for known, known_version in resources.GROUP_VERSIONS
            if known == name
        ]
        items.append({"metadata": {"name": name} if name else {}, "versions": found})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _aggregated_entry(resource: Resource) -> Tree:
    entry: Tree = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = []
    for name, kind in resource.subresources:
        group_name, version = _SUBRESOURCE_GROUPS.get(kind, ("", ""))
        subresources.append(
            {
                "subresource": name,
                "responseKind": {"group": group_name, "version": version, "kind": kind},
                "verbs": _SUBRESOURCE_VERBS.get(name, ["get", "patch", "update"]),
            }
        )
    if subresources:
        entry["subresources"] = subresources
    return entry
