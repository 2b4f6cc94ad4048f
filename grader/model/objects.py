"""Objects as they were listed: those of the exercise's own Namespace, and of the further ones that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

RawObject = Mapping[str, Any]
"""One API object as the API server sent it (without managedFields)."""

Listed = Mapping[str, tuple[RawObject, ...]]
"""Resource ("services", "pods", …) → its objects."""


@dataclass(frozen=True)
class Objects:
    """What was listed, by Namespace and resource.

    Attributes:
        own: of the exercise's own Namespace ("services", "pods", "endpointslices", "deployments"; "configmaps",
            "statefulsets" where the exercise speaks of them), and "nodes" of the cluster.
        further: further Namespace of the exercise → "services", "pods", "endpointslices" there.
        elsewhere: kind and metadata of Services and ConfigMaps of other Namespaces that have the names that are missed.
        cluster: of the cluster itself: "configmaps" that configure its DNS and its proxies.
    """

    own: Listed = field(default_factory=dict)
    further: Mapping[str, Listed] = field(default_factory=dict)
    elsewhere: tuple[RawObject, ...] = ()
    cluster: Listed = field(default_factory=dict)

    def of(self, resource: str, namespace: str = "") -> tuple[RawObject, ...]:
        """List a resource of a further Namespace, or ("") of the exercise's own; none where it was not listed."""
        return (self.further.get(namespace, {}) if namespace else self.own).get(resource, ())

    def knows(self, resource: str, namespace: str = "") -> bool:
        """Tell whether a resource was listed."""
        return resource in (self.further.get(namespace, {}) if namespace else self.own)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The further Namespaces that were listed."""
        return tuple(self.further)

    def everywhere(self, resource: str) -> Iterator[RawObject]:
        """List a resource of all these Namespaces, the exercise's own first."""
        for namespace in ("", *self.further):
            yield from self.of(resource, namespace)

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """The uid and resourceVersion of every object of these Namespaces."""
        listed = (items for place in (self.own, *self.further.values()) for items in place.values())
        metadata = (item["metadata"] for items in listed for item in items)
        return tuple((str(item.get("uid")), str(item.get("resourceVersion"))) for item in metadata)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Objects:
        """Read what `dataclasses.asdict` made of it. Raises KeyError, TypeError or AttributeError for anything else."""
        return cls(
            _listed(data["own"]),
            {namespace: _listed(items) for namespace, items in data["further"].items()},
            tuple(data["elsewhere"]),
            _listed(data.get("cluster", {})),
        )


def _listed(data: Mapping[str, Any]) -> Listed:
    return {resource: tuple(items) for resource, items in data.items()}
