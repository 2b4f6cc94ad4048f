from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import Api

ADDRESSES, CIDRS = "/apis/networking.k8s.io/v1/ipaddresses", "/apis/networking.k8s.io/v1/servicecidrs"
PARENT = {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}


def address(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": name}, "spec": spec}


def cidr(*cidrs: str) -> dict[str, Any]:
    made = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"}}
    return {**made, "spec": {"cidrs": list(cidrs)}}


def causes(api: Api, method: str, path: str, obj: dict[str, Any]) -> list[str]:
    code, told = api.call(method, path, obj)
    assert code == 422, told
    return [f"{cause['field']}: {cause['message']}" for cause in told["details"]["causes"]]


@pytest.mark.parametrize("name", ["255.255.255.255", "fe80::42:1dff:fe84:f9e2"])
def test_an_ip_address_is_named_after_itself(api: Api, name: str) -> None:
    assert api.create(ADDRESSES, address(name, parentRef=PARENT))["metadata"]["name"] == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("web", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("10.0.0.01", "must not have leading 0s"),
        ("fe80:0::1", 'must be in canonical form ("fe80::1")'),
    ],
)
def test_another_name_is_refused(api: Api, name: str, told: str) -> None:
    found = causes(api, "POST", ADDRESSES, address(name, parentRef=PARENT))
    assert found == [f'metadata.name: Invalid value: "{name}": {told}']


def test_an_ip_address_has_a_parent_for_good(api: Api) -> None:
    assert causes(api, "POST", ADDRESSES, address("10.0.0.1")) == ["spec.parentRef: Required value"]
    assert causes(api, "POST", ADDRESSES, address("10.0.0.1", parentRef={"resource": "a/b"})) == [
        "spec.parentRef.resource: Invalid value: \"a/b\": may not contain '/'",
        "spec.parentRef.name: Required value",
    ]
    made = api.create(ADDRESSES, address("10.0.0.1", parentRef=PARENT))
    made["spec"]["parentRef"]["name"] = "other"
    assert ["field is immutable" in text for text in causes(api, "PUT", f"{ADDRESSES}/10.0.0.1", made)] == [True]


@pytest.mark.parametrize(
    ("cidrs", "told"),
    [
        ((), "spec.cidrs: Required value: at least one CIDR required"),
        (("10.96.0.1/16",), "must not have bits set beyond the prefix length"),
        (("fd00:0::/64",), 'must be in canonical form ("fd00::/64")'),
        (("10.0.0.0/24", "10.0.1.0/24"), "may specify no more than one IP for each IP family"),
    ],
)
def test_a_service_cidr_names_networks(api: Api, cidrs: tuple[str, ...], told: str) -> None:
    (found,) = causes(api, "POST", CIDRS, cidr(*cidrs))
    assert told in found


def test_a_service_cidr_changes_only_by_getting_its_second_family(api: Api) -> None:
    made = api.create(CIDRS, cidr("10.0.0.0/24"))
    other = {**made, "spec": {"cidrs": ["10.0.1.0/24"]}}
    assert causes(api, "PUT", f"{CIDRS}/more", other) == [
        'spec.cidrs[0]: Invalid value: "10.0.1.0/24": field is immutable'
    ]
    code, both = api.call("PUT", f"{CIDRS}/more", {**made, "spec": {"cidrs": ["10.0.0.0/24", "fd00::/64"]}})
    assert (code, both["spec"]["cidrs"]) == (200, ["10.0.0.0/24", "fd00::/64"])
