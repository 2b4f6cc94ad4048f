from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.api.schema.types import definition_of
from grader.embedded.core.api.write import patch

SERVICE = definition_of("", "v1", "Service")
POD = definition_of("", "v1", "Pod")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("target", "change", "result"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_the_rfc_says(target: Any, change: Any, result: Any) -> None:
    assert patch.merge_patch(target, change) == result


@settings(deadline=None)
@given(JSON, JSON)
def test_a_merge_patch_twice_is_a_merge_patch_once(target: Any, change: Any) -> None:
    once = patch.merge_patch(target, change)
    assert patch.merge_patch(once, change) == once


def merged(target: dict[str, Any], change: dict[str, Any], kind: str = SERVICE) -> dict[str, Any]:
    return patch.strategic_patch({"spec": target}, {"spec": change}, kind)["spec"]


def test_list_items_are_merged_by_their_key() -> None:
    target = {"ports": [{"port": 80, "name": "a"}]}
    assert merged(target, {"ports": [{"port": 80, "targetPort": 8080}]})["ports"] == [
        {"port": 80, "name": "a", "targetPort": 8080}
    ]


def test_a_list_without_a_merge_strategy_is_replaced() -> None:
    target = {"externalIPs": ["192.0.2.1"]}
    assert merged(target, {"externalIPs": ["192.0.2.2"]})["externalIPs"] == ["192.0.2.2"]


def test_items_are_deleted_and_lists_replaced_by_directive() -> None:
    target = {"ports": [{"port": 80}, {"port": 81}]}
    assert merged(target, {"ports": [{"$patch": "delete", "port": 80}]})["ports"] == [{"port": 81}]
    assert merged(target, {"ports": [{"$patch": "replace"}, {"port": 9}]})["ports"] == [{"port": 9}]


def test_the_element_order_of_the_writer_holds() -> None:
    target = {"containers": [{"name": "a"}, {"name": "b"}]}
    change = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
    assert [item["name"] for item in merged(target, change, POD)["containers"]] == ["b", "a"]


def test_primitive_lists_lose_what_is_to_be_deleted() -> None:
    target = {"metadata": {"finalizers": ["a", "b"]}}
    change = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["b"]}}
    assert patch.strategic_patch(target, change, POD)["metadata"]["finalizers"] == ["b"]


def test_retained_keys_are_all_that_stays() -> None:
    target = {"volumes": [{"name": "v", "emptyDir": {}}]}
    change = {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}
    assert merged(target, change, POD)["volumes"] == [{"name": "v", "configMap": {"name": "c"}}]


def test_the_target_is_not_changed() -> None:
    target = {"spec": {"ports": [{"port": 80}]}}
    patch.strategic_patch(target, {"spec": {"ports": [{"port": 80, "name": "x"}]}}, SERVICE)
    assert target == {"spec": {"ports": [{"port": 80}]}}
