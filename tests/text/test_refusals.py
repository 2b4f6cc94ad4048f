import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.text import catalogue, placeholders
from grader.text.refusals import CATALOGUE, explain

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("refusals.json").read_text(encoding="utf-8"))[
    "refusals"
]

EXPECTED = {
    "affinity-timeout": ["affinity-timeout"],
    "cluster-ip-change": ["cluster-ip-immutable"],
    "cluster-ip-taken": ["cluster-ip-taken"],
    "exists": ["exists"],
    "external-name-malformed": ["external-name-malformed"],
    "external-name-missing": ["external-name-missing"],
    "external-traffic-policy-internal": ["external-traffic-policy-internal"],
    "headless-load-balancer": ["cluster-ip-none"],
    "headless-node-port": ["cluster-ip-none"],
    "health-check-node-port": ["health-check-node-port"],
    "kind-unknown": ["kind-unknown"],
    "load-balancer-class": ["only-for-load-balancer"],
    "load-balancer-source-ranges": ["only-for-load-balancer"],
    "allocate-node-ports": ["only-for-load-balancer"],
    "name-malformed": ["name-malformed"],
    "namespace-missing": ["namespace-missing"],
    "node-port-on-cluster-ip": ["node-port-on-cluster-ip"],
    "node-port-range": ["node-port-out-of-range"],
    "node-port-taken": ["node-port-taken"],
    "port-duplicate": ["port-duplicate"],
    "port-is-text": ["value-of-wrong-type"],
    "port-name-duplicate": ["port-name-duplicate"],
    "port-name-missing": ["port-name-missing"],
    "port-range": ["port-out-of-range", "target-port-out-of-range"],
    "ports-missing": ["ports-missing"],
    "protocol": ["protocol-unsupported"],
    "slice-address-type": ["any-unsupported"],
    "slice-leading-zero": ["slice-address-malformed"],
    "slice-link-local": ["slice-address-loopback"],
    "slice-loopback": ["slice-address-loopback"],
    "slice-no-address": ["slice-address-missing"],
    "slice-port-names": ["slice-port-name-duplicate"],
    "target-port-long-name": ["target-port-name"],
    "target-port-quoted-number": ["target-port-needs-letter"],
    "target-port-range": ["target-port-out-of-range"],
    "type-unknown": ["type-unsupported"],
    "unknown-field": ["field-unknown"],
    "unknown-field-in-port": ["field-unknown"],
}


@pytest.mark.parametrize(("name", "codes"), EXPECTED.items())
def test_a_refusal_of_a_real_api_server_is_recognised(name: str, codes: list[str]) -> None:
    assert [refusal.code for refusal in explain(RECORDED[name])] == codes


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_refusal_is_explained_in_full(name: str) -> None:
    for refusal in explain(RECORDED[name], kind="Service", name="web"):
        assert refusal.code != "other"
        assert all((refusal.message.what, refusal.message.where, refusal.message.next))
        assert refusal.server


@pytest.mark.parametrize(
    ("name", "value"),
    [("node-port-taken", "30999"), ("type-unknown", "Loadbalancer"), ("cluster-ip-change", "10.96.200.200")],
)
def test_the_value_that_was_refused_is_named(name: str, value: str) -> None:
    assert f"`{value}`" in explain(RECORDED[name])[0].message.where


def test_the_port_is_counted_as_people_count() -> None:
    cause = {"reason": "FieldValueInvalid", "field": "spec.ports[1].port", "message": "Invalid value: 0: must be"}
    assert "2番目のポート" in explain({"details": {"causes": [cause]}})[0].message.what


REASONS = st.sampled_from(["FieldValueInvalid", "FieldValueRequired", "FieldManagerConflict", "Forbidden", "", "New"])


@given(REASONS, st.text(max_size=30), st.text(max_size=60), st.text(max_size=20))
def test_whatever_a_server_says_has_an_explanation(reason: str, field: str, message: str, kind: str) -> None:
    cause = {"reason": reason, "field": field, "message": message}
    status = {"reason": reason, "message": message, "details": {"kind": kind, "causes": [cause]}}
    for refusal in explain(status):
        assert str(refusal.message)


def test_an_empty_status_is_explained_too() -> None:
    assert [refusal.code for refusal in explain({})] == ["other"]


def test_entries_ask_only_for_facts_that_there_are() -> None:
    common = {"kind", "name", "namespace", "field", "value", "detail", "says", "place"}
    for code, entry in catalogue(CATALOGUE).items():
        named = placeholders(entry.get("says", "").replace("{", "")) or frozenset()
        groups = {part.split(">")[0] for part in entry.get("says", "").split("(?P<")[1:]} | named
        for part in ("what", "where", "next"):
            assert placeholders(entry[part]) <= common | groups, (code, part)
