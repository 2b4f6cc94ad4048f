"""Manifests are merged as `kubectl apply` merges them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.cluster.inprocess import Inside
from grader.model.evidence import Action
from grader.workflow.ground.apply import apply_document, merge
from grader.workflow.ground.manifests import Document

PORT = {"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30123}


def test_what_the_manifest_no_longer_says_goes_and_what_others_set_stays() -> None:
    original = {"spec": {"selector": {"app": "a", "old": "x"}}}
    modified = {"spec": {"selector": {"app": "b"}}}
    current = {"spec": {"selector": {"app": "a", "old": "x", "theirs": "y"}, "clusterIP": "10.96.0.9"}}
    assert merge(original, modified, current) == {
        "spec": {"selector": {"app": "b", "theirs": "y"}, "clusterIP": "10.96.0.9"}
    }


def test_a_port_keeps_the_node_port_it_was_given() -> None:
    modified = {"ports": [{"port": 80, "targetPort": 9090}]}
    assert merge({"ports": [{"port": 80}]}, modified, {"ports": [PORT]})["ports"] == [{**PORT, "targetPort": 9090}]


def test_a_port_that_was_renumbered_is_another_port() -> None:
    original, modified = {"ports": [{"port": 80}]}, {"ports": [{"port": 81}]}
    assert merge(original, modified, {"ports": [PORT]})["ports"] == [{"port": 81}]


def test_a_port_somebody_else_added_stays() -> None:
    theirs = {"port": 443, "protocol": "TCP"}
    merged = merge({"ports": [{"port": 80}]}, {"ports": [{"port": 80}]}, {"ports": [PORT, theirs]})
    assert merged["ports"] == [PORT, theirs]


def test_the_same_number_under_another_protocol_is_another_port() -> None:
    modified = {"ports": [{"port": 80, "protocol": "UDP"}]}
    assert merge({"ports": [{"port": 80}]}, modified, {"ports": [PORT]})["ports"] == [{"port": 80, "protocol": "UDP"}]


def test_plain_lists_are_replaced() -> None:
    assert merge({"a": [1]}, {"a": [2]}, {"a": [1, 3]}) == {"a": [2]}


TREES = st.recursive(
    st.integers() | st.text(max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


@settings(deadline=None)
@given(MAPPINGS, MAPPINGS)
def test_applying_what_was_applied_changes_nothing_and_the_manifest_always_holds(
    modified: dict[str, object], current: dict[str, object]
) -> None:
    once = merge({}, modified, current)
    assert merge(modified, modified, once) == once

    def holds(part: object, whole: object) -> bool:
        if isinstance(part, dict):
            return isinstance(whole, dict) and all(key in whole and holds(part[key], whole[key]) for key in part)
        return part == whole

    assert holds(modified, once)


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}


class Wire(Inside):
    """A cluster whose requests would go through a socket: their first line must be one that HTTP can carry."""

    def request(
        self, method: str, target: str, headers: Mapping[str, str], payload: bytes | None, limit: float
    ) -> tuple[int, bytes]:
        path = target.partition("?")[0]
        assert target.isascii()
        assert " " not in target
        assert "/../" not in f"{path}/"
        assert path.count("/") <= 6
        return super().request(method, target, headers, payload, limit)


@pytest.fixture(scope="module")
def inside() -> Inside:
    return Wire()


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"name": "バックエンド"}},
        {"metadata": {"name": "a/b"}},
        {"metadata": {"name": ".."}},
        {"metadata": {"name": "../pods/x"}},
        {"metadata": {"name": "kubernetes?dryRun=All"}},
        {"metadata": {"name": "a b%2e#"}},
        {"metadata": {"name": "web", "namespace": "名前"}},
        {"apiVersion": "\uff56\uff11"},
        {"apiVersion": "アプリ/v1"},
        {"apiVersion": "../v1"},
        {"kind": "サービス"},
    ],
    ids=str,
)
def test_what_no_path_can_hold_is_refused_and_breaks_nothing(inside: Inside, change: dict[str, object]) -> None:
    with inside.api() as api:
        result = apply_document(api, Document(1, {**SERVICE, **change}), "default")
        assert result.action is Action.REFUSED
        assert {item["metadata"]["name"] for item in api.list("services", "default")} == {"kubernetes"}
