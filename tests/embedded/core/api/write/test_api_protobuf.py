from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.api.http.status import ApiError
from grader.embedded.core.api.schema import types as schema
from grader.embedded.core.api.schema.types import definition_of
from grader.embedded.core.api.write import protobuf
from tests.embedded.core.api.api_client import PODS, SERVICES, Api

SERVICE = definition_of("", "v1", "Service")
KIND = protobuf.CONTENT_TYPE


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    return protobuf.MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw)


def pair(key: str, value: str) -> bytes:
    return field(1, key) + field(2, value)


def test_a_service_as_kubectl_create_sends_it() -> None:
    target = field(1, 0) + field(2, 8080) + field(3, "")
    port = field(1, "80-8080") + field(2, "TCP") + field(3, 80) + field(4, target) + field(5, 0)
    meta = field(1, "web") + field(2, "") + field(8, b"") + field(11, pair("app", "web"))
    spec = field(1, port) + field(2, pair("app", "web")) + field(3, "") + field(4, "NodePort")
    tree = protobuf.decode(field(1, meta) + field(2, spec) + field(3, field(1, b"")), SERVICE)
    assert tree["metadata"]["labels"] == {"app": "web"}
    assert "creationTimestamp" not in tree["metadata"]
    assert tree["spec"]["ports"][0] == {
        "name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080, "nodePort": 0,
    }  # fmt: skip
    assert tree["spec"]["type"] == "NodePort"


def test_the_server_takes_it_and_drops_zero_values(api: Api) -> None:
    port = field(2, "TCP") + field(3, 80) + field(4, field(1, 1) + field(3, "http")) + field(5, 0)
    raw = field(1, field(1, "web")) + field(2, field(1, port) + field(4, "ClusterIP"))
    made = api.create(SERVICES, envelope("v1", "Service", raw), kind=KIND)
    assert made["spec"]["ports"] == [{"protocol": "TCP", "port": 80, "targetPort": "http"}]


def test_an_explicit_zero_of_a_pointer_is_kept() -> None:
    tree = protobuf.decode(field(2, field(1, 0)), definition_of("apps", "v1", "Deployment"))
    assert tree == {"spec": {"replicas": 0}}


def test_inlined_structs_quantities_and_bytes(api: Api) -> None:
    secret = protobuf.decode(field(2, field(1, "k") + field(2, b"v")), definition_of("", "v1", "Secret"))
    assert secret == {"data": {"k": "dg=="}}
    volume = field(1, "v") + field(2, field(2, b""))
    limits = field(1, field(1, "cpu") + field(2, field(1, "100m")))
    container = field(1, "c") + field(2, "i") + field(8, limits)
    tree = protobuf.decode(field(2, field(1, volume) + field(2, container)), definition_of("", "v1", "Pod"))
    assert tree["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert tree["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "100m"}}


def test_negative_numbers_come_through() -> None:
    assert (
        protobuf.decode(field(2, field(5, -1)), definition_of("", "v1", "Pod"))["spec"]["activeDeadlineSeconds"] == -1
    )


def test_every_field_of_every_type_has_its_number() -> None:
    def numbered(definition: str) -> set[str]:
        fields = schema.wire(definition).values()
        return {name for name, _, _ in fields if name}.union(*(numbered(kind) for name, kind, _ in fields if not name))

    of_type_meta = {"apiVersion", "kind"}
    missing = {
        name: fields
        for name, node in schema.definitions().items()
        if (fields := set(node.get("properties", ())) - numbered(name) - of_type_meta)
    }
    assert missing == {}


def test_an_autoscaler_as_kubectl_autoscale_sends_it(api: Api) -> None:
    target = field(1, "Utilization") + field(4, 50)
    metric = field(1, "Resource") + field(4, field(1, "cpu") + field(2, target))
    scaled = field(1, "Deployment") + field(2, "web") + field(3, "apps/v1")
    raw = field(1, field(1, "web")) + field(2, field(1, scaled) + field(2, 1) + field(3, 3) + field(4, metric))
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    made = api.create(path, envelope("autoscaling/v2", "HorizontalPodAutoscaler", raw), kind=KIND)
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    assert made["spec"]["metrics"] == [{"type": "Resource", "resource": resource}]


def test_another_kind_than_the_paths_is_refused(api: Api) -> None:
    code, body = api.call("POST", PODS, envelope("v1", "Service", b""), kind=KIND)
    assert (code, body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("body", [b"", b"k8s\x00\xff", b"{}", protobuf.MAGIC + b"\x0a\x50"])
def test_bodies_that_are_none_are_refused(api: Api, body: bytes) -> None:
    assert api.call("POST", SERVICES, body, kind=KIND)[0] == 400


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_bring_the_decoder_down(raw: bytes) -> None:
    try:
        tree: Any = protobuf.decode(raw, SERVICE)
    except ApiError as error:
        assert error.code == 400
    else:
        assert isinstance(tree, dict)
