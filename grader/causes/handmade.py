"""EndpointSlices made by hand: what can be wrong with them that no controller would do.

Rules: a slice belongs to a Service by the label kubernetes.io/service-name
(k8s.io/api/discovery/v1/well_known_labels.go);
kube-proxy pairs its ports with the Service's by name (pkg/proxy/endpointslicecache.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.wanted import Wanted
from grader.causes.words import listed, word
from grader.model.choosing import serving
from grader.model.kubernetes import (
    CONTROLLER,
    MANAGED_BY_LABEL,
    SERVICE_NAME_LABEL,
    Endpoint,
    actual_slices,
    addresses_of,
    has_slices,
    labels_of,
    name_of,
    service_port,
)
from grader.model.objects import RawObject
from grader.model.report import Hop


def made_by_hand(scene: Scene, namespace: str = "") -> list[RawObject]:
    """List the slices that no controller made; what a controller left when a selector was removed is none of them."""
    slices = scene.objects.of("endpointslices", namespace)
    return [item for item in slices if labels_of(item).get(MANAGED_BY_LABEL) != CONTROLLER]


def by_hand_for(scene: Scene, service: RawObject, namespace: str = "") -> list[RawObject]:
    """List the slices made by hand that belong to a Service of a Namespace, by their label."""
    made = made_by_hand(scene, namespace)
    return [item for item in made if labels_of(item).get(SERVICE_NAME_LABEL) == name_of(service)]


def without_slices(scene: Scene, service: RawObject) -> Ruling | None:
    """Say why no slice made by hand belongs to a Service, where there are such slices."""
    made = made_by_hand(scene)
    if not made:
        return None
    facts = {"service": name_of(service), "slices": listed(sorted(map(name_of, made)))}
    if mine := by_hand_for(scene, service):
        types = listed(sorted({str(item.get("addressType")) for item in mine}))
        if types != "IPv4":
            return fail("slice-address-type-differs", Hop.ENDPOINT_SLICE, **facts, seen=types)
        return fail("slice-empty", Hop.ENDPOINT_SLICE, **facts)
    labels = listed(sorted({str(labels_of(item).get(SERVICE_NAME_LABEL) or word("plain", "none")) for item in made}))
    return fail("slice-unlabelled", Hop.ENDPOINT_SLICE, **facts, label=SERVICE_NAME_LABEL, seen=labels)


def relabelled(scene: Scene, service: RawObject) -> tuple[str, ...]:
    """Name slices made by hand that were changed since and are not the Service's, but may have been.

    kube-proxy keeps a slice under the Service that its label named first: one that is given another label, or loses
    it, is also used for the Service of before (pkg/proxy/endpointslicecache.go updatePending finds the Service by the
    label as it is now, and never looks where the slice was). A change of label counts in metadata.generation
    (pkg/registry/discovery/endpointslice/strategy.go PrepareForUpdate).
    """
    return tuple(
        sorted(
            name_of(item)
            for item in made_by_hand(scene)
            if labels_of(item).get(SERVICE_NAME_LABEL) != name_of(service) and item["metadata"].get("generation", 1) > 1
        )
    )


def slices_wrong(scene: Scene, service: RawObject, wanted: Wanted) -> Ruling | None:
    """Compare the union of all slices with the Pods; only slices made by hand can differ here."""
    item = service_port(service, wanted.number) if wanted.number is not None else None
    port_name = str(item.get("name", "")) if item else None
    published = actual_slices(service, scene.slices)
    pods = serving(scene.backends(wanted.labels, wanted.pods_in), wanted.readiness)
    addresses = {ip for pod in pods for ip in addresses_of(pod)}
    others = {ip for pod in scene.backends(wanted.among, wanted.pods_in) for ip in addresses_of(pod)} - addresses
    # a terminating Pod may stay published for a while; it is no stranger
    mine = [item for item in published if item.ready and not item.terminating and item.address not in others]
    seen = {
        endpoint.address
        for endpoint in mine
        if port_name in (None, endpoint.port_name) and wanted.port in (None, endpoint.port)
    }
    strangers = {endpoint.address for endpoint in mine} - addresses
    if seen == addresses and not strangers:
        return _crowded(scene, service) or _protocol_differs(mine, port_name, item)
    facts = {"service": name_of(service)}
    if ruling := _crowded(scene, service):
        return ruling
    if not has_slices(service) and not strangers and {endpoint.address for endpoint in mine} == addresses:
        return _ports_wrong(mine, port_name, wanted.port, facts)
    asleep = {item.address for item in published if not item.ready} & addresses
    if not has_slices(service) and asleep:
        return fail("slice-not-ready", Hop.ENDPOINT_SLICE, **facts, addresses=listed(sorted(asleep)))
    return fail(
        "endpoints-differ", Hop.ENDPOINT_SLICE,
        **facts, unexpected=listed(sorted(strangers)), missing=listed(sorted(addresses - seen)),
        slices=listed(sorted(name_of(item) for item in made_by_hand(scene) if actual_slices(service, [item]))),
    )  # fmt: skip


def _crowded(scene: Scene, service: RawObject) -> Ruling | None:
    """Object to an endpoint with several addresses: only the first is used (k8s.io/api/discovery/v1/types.go)."""
    for item in by_hand_for(scene, service):
        for endpoint in item.get("endpoints") or ():
            given = list(endpoint.get("addresses") or ())
            if len(given) > 1:
                facts = {"service": name_of(service), "slice": name_of(item), "addresses": listed(given)}
                return fail("slice-endpoint-crowded", Hop.ENDPOINT_SLICE, **facts, first=given[0])
    return None


def _protocol_differs(endpoints: list[Endpoint], port_name: str | None, port: RawObject | None) -> Ruling | None:
    """Object to endpoints of another protocol: a Service port takes its own only (pkg/proxy/endpointslicecache.go)."""
    if port is None:
        return None
    expected = str(port.get("protocol", "TCP"))
    seen = {item.protocol for item in endpoints if port_name in (None, item.port_name)} - {expected}
    if not seen:
        return None
    return fail("slice-protocol-differs", Hop.ENDPOINT_SLICE, expected=expected, seen=listed(sorted(seen)))


def _ports_wrong(
    endpoints: list[Endpoint], port_name: str | None, port: int | None, facts: Mapping[str, str]
) -> Ruling:
    """Say which of name and number keeps the slice's ports from being the Service's."""
    names = {endpoint.port_name for endpoint in endpoints}
    if port_name is not None and port_name not in names:
        none = word("plain", "none")
        seen = listed(sorted(name or none for name in names))
        return fail("slice-port-name-differs", Hop.ENDPOINT_SLICE, **facts, expected=port_name or none, seen=seen)
    numbers = listed(sorted({str(endpoint.port or word("plain", "none")) for endpoint in endpoints}))
    return fail("slice-port-differs", Hop.ENDPOINT_SLICE, **facts, expected=port, seen=numbers)
