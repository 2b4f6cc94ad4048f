"""JSON for people: answers are kind's (1.36.3)."""

from __future__ import annotations

import json

import pytest

from grader.embedded.core.api.http.messages import Request, Response
from tests.embedded.core.api.api_client import Api


def answered(api: Api, path: str, query: list[tuple[str, str]] | None = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = api.server.handle(Request("GET", path, query or [], named))
    assert isinstance(answer, Response)
    return answer


def is_pretty(answer: Response) -> bool:
    """Two spaces and no newline at the end, or one line with it: nothing between."""
    if answer.body == json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False).encode():
        return True
    assert (
        answer.body == json.dumps(json.loads(answer.body), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
    return False


DEFAULT = "/api/v1/namespaces/default"


@pytest.mark.parametrize(
    ("agent", "pretty"),
    [
        ("curl/8.1", True),
        ("curl", True),
        ("Wget/1.2", True),
        ("Wget", True),
        ("Mozilla/5.0 (X11)", True),
        ("MOZILLA", False),
        ("xcurl/1", False),
        ("kubectl/v1.36.3", False),
        ("", False),
    ],
)
def test_clients_of_people_get_it_indented(api: Api, agent: str, pretty: bool) -> None:
    assert is_pretty(answered(api, DEFAULT, user_agent=agent)) is pretty


@pytest.mark.parametrize(
    ("value", "others", "curl"),
    [("true", True, True), ("1", True, True), ("", False, True), ("false", False, False), ("yes", False, False)],
)
def test_the_parameter_counts_before_the_user_agent(api: Api, value: str, others: bool, curl: bool) -> None:
    query = [("pretty", value)]

    assert is_pretty(answered(api, DEFAULT, query)) is others
    assert is_pretty(answered(api, DEFAULT, query, user_agent="curl/8")) is curl


def test_the_accept_header_may_ask_for_it(api: Api) -> None:
    assert is_pretty(answered(api, DEFAULT, accept="application/json;pretty=1"))
    assert is_pretty(answered(api, DEFAULT, accept="application/json; pretty=0", user_agent="curl/8"))


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/api/v1/namespaces",
        "/api/v1/nope",
        f"{DEFAULT}/pods/x",
    ],
)
def test_lists_discovery_and_refusals_are_indented_too(api: Api, path: str) -> None:
    assert is_pretty(answered(api, path, user_agent="curl/8"))
    assert not is_pretty(answered(api, path))


def test_a_table_is_indented_and_yaml_is_not(api: Api) -> None:
    assert is_pretty(answered(api, DEFAULT, user_agent="curl/8", accept="application/json;as=Table;v=v1;g=meta.k8s.io"))
    assert answered(api, DEFAULT, user_agent="curl/8", accept="application/yaml").body.startswith(b"apiVersion: v1\n")


def test_the_version_and_the_index_are_always_indented(api: Api) -> None:
    assert is_pretty(answered(api, "/version"))
    assert is_pretty(answered(api, "/"))
    assert not is_pretty(answered(api, "/openapi/v2", user_agent="curl/8"))


@pytest.mark.parametrize("path", ["/nope", "/apis/nope", "/apis/nope/v1", "/apis/nope/v1/x", "/logs"])
def test_a_path_under_no_group_is_told_in_plain_text(api: Api, path: str) -> None:
    answer = answered(api, path, user_agent="curl/8")

    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    assert dict(answer.headers)["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/api/v2", "/api/v2/pods", "/apis/apps/v9", "/apis/apps/v9/deployments", "/apis/apps/v1/nope"]
)
def test_a_path_under_a_group_is_told_as_a_status(api: Api, path: str) -> None:
    code, answer = api.call("GET", path)

    assert (code, answer["message"]) == (404, "the server could not find the requested resource")
