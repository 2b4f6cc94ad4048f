"""Bodies that are nested without end are refused (sigs.k8s.io/json and go.yaml.in/yaml/v2 stop at 10000 levels)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import Api

MAPS = "/api/v1/namespaces/default/configmaps"
MANY = 100_000
HEAD = b'{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": '


@pytest.mark.parametrize(
    "body", [b"[" * MANY, b'{"a":' * MANY, HEAD + b"[" * MANY, HEAD + b"[" * MANY + b"]" * MANY + b"}"]
)
def test_json_that_is_nested_without_end_is_a_bad_request(api: Api, body: bytes) -> None:
    code, answer = api.call("POST", MAPS, body)
    assert (code, answer["message"]) == (400, "couldn't get version/kind; json parse error: exceeded max depth")


@pytest.mark.parametrize("body", [b"[" * MANY, b"{a: " * MANY, b"- " * MANY])
def test_yaml_that_is_nested_without_end_is_a_bad_request(api: Api, body: bytes) -> None:
    code, answer = api.call("POST", MAPS, body, kind="application/yaml")
    assert code == 400
    assert answer["message"].startswith("error converting YAML to JSON: yaml: exceeded max depth of 10000")


@pytest.mark.parametrize("kind", ["merge-patch+json", "strategic-merge-patch+json", "json-patch+json"])
def test_a_patch_that_is_nested_without_end_is_a_bad_request(api: Api, kind: str) -> None:
    api.create(MAPS, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}})
    assert api.call("PATCH", f"{MAPS}/a", b'{"data":' * MANY, kind=f"application/{kind}")[0] == 400


def test_what_the_embedded_cluster_alone_finds_too_deep_says_so(api: Api) -> None:
    body = HEAD + b"[" * 300 + b"]" * 300 + b"}"
    assert api.call("POST", MAPS, body)[1]["message"].endswith("exceeded max depth (the embedded cluster takes 200)")
    assert api.call("POST", MAPS, HEAD + b'{"a": "' + b"[" * 300 + b'"}}')[0] == 201


@pytest.mark.parametrize("name", ["labelSelector", "fieldSelector", "continue"])
def test_a_selector_that_is_nested_without_end_is_a_bad_request(api: Api, name: str) -> None:
    for value in ("(" * MANY, "a in (" * MANY, "!" * MANY):
        answer: Any = api.ask("GET", MAPS, query=[(name, value), ("limit", "1")])
        assert answer.status == 400
