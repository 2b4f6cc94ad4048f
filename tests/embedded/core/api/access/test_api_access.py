"""Who may do what, and tokens of ServiceAccounts; answers are kind's (1.36.3)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from grader.embedded.core.api.access import tokens
from grader.embedded.core.api.http.messages import ANONYMOUS, Request, Response, User
from grader.embedded.core.store import Obj
from tests.embedded.core.api.api_client import PODS, Api, pod

DEFAULT = User("system:serviceaccount:default:default", ("system:serviceaccounts", "system:authenticated"))
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
TOKEN = f"{ACCOUNTS}/default/token"


def ask(api: Api, user: User, path: str, method: str = "GET", body: Any = None, **query: str) -> tuple[int, str]:
    data = b"" if body is None else json.dumps(body).encode()
    answer = api.server.handle(Request(method, path, tuple(query.items()), {}, data, user))
    assert isinstance(answer, Response)
    return answer.status, answer.body.decode()


@pytest.fixture
def account(api: Api) -> Obj:
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    return dict(api.create(ACCOUNTS, made))


def asked(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


@pytest.mark.parametrize("path", ["/version", "/version/", "/healthz", "/livez", "/readyz"])
@pytest.mark.parametrize("user", [ANONYMOUS, DEFAULT])
def test_health_and_version_are_public(api: Api, path: str, user: User) -> None:
    assert ask(api, user, path)[0] == 200


@pytest.mark.parametrize("path", ["/api", "/apis", "/api/v1", "/apis/apps/v1", "/openapi/v3"])
def test_discovery_is_for_whoever_is_known(api: Api, path: str) -> None:
    assert ask(api, DEFAULT, path)[0] == 200

    code, body = ask(api, ANONYMOUS, path)
    assert (code, json.loads(body)["message"]) == (403, f'forbidden: User "system:anonymous" cannot get path "{path}"')


@pytest.mark.parametrize(
    ("method", "path", "query", "message"),
    [
        ("GET", "/nope", {}, 'forbidden: User "{}" cannot get path "/nope"'),
        ("GET", "/", {}, 'forbidden: User "{}" cannot get path "/"'),
        ("GET", "/livez/ping", {}, 'forbidden: User "{}" cannot get path "/livez/ping"'),
        (
            "GET",
            "/api/v1/namespaces",
            {},
            'namespaces is forbidden: User "{}" cannot list resource "namespaces" in API group "" at the cluster scope',
        ),
        (
            "GET",
            f"{PODS}/web",
            {},
            'pods "web" is forbidden: User "{}" cannot get resource "pods" in API group "" in the namespace "default"',
        ),
        (
            "GET",
            f"{PODS}/web/log",
            {},
            'pods "web" is forbidden: User "{}" cannot get resource "pods/log" in API group ""'
            ' in the namespace "default"',
        ),
        (
            "GET",
            PODS,
            {"watch": "1"},
            'pods is forbidden: User "{}" cannot watch resource "pods" in API group "" in the namespace "default"',
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/default/deployments",
            {},
            'deployments.apps is forbidden: User "{}" cannot deletecollection resource "deployments" in API group'
            ' "apps" in the namespace "default"',
        ),
        (
            "GET",
            "/api/v1/namespaces/default",
            {},
            'namespaces "default" is forbidden: User "{}" cannot get resource "namespaces" in API group ""'
            ' in the namespace "default"',
        ),
    ],
)
@pytest.mark.parametrize("user", [ANONYMOUS, DEFAULT])
def test_everything_else_is_forbidden_in_rbacs_words(
    api: Api, user: User, method: str, path: str, query: dict[str, str], message: str
) -> None:
    code, body = ask(api, user, path, method, **query)

    assert (code, json.loads(body)["message"]) == (403, message.format(user.name))


def test_an_account_may_ask_who_it_is_and_what_it_may(api: Api) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    code, body = ask(api, DEFAULT, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST", review)
    assert (code, json.loads(body)["status"]["userInfo"]["username"]) == (201, DEFAULT.name)

    may = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {}}
    code, body = ask(api, DEFAULT, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "POST", may)
    assert (code, json.loads(body)["status"]) == (201, {"allowed": False})


def test_a_token_is_made_and_says_whose_it_is(api: Api, account: Obj) -> None:
    answer = api.create(TOKEN, asked())

    header, payload, _ = answer["status"]["token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "RS256"
    assert claims["sub"] == "system:serviceaccount:default:default"
    assert claims["aud"] == [claims["iss"]] == ["https://kubernetes.default.svc.cluster.local"]
    assert claims["exp"] - claims["iat"] == answer["spec"]["expirationSeconds"] == 3600
    assert claims["kubernetes.io"] == {
        "namespace": "default",
        "serviceaccount": {"name": "default", "uid": account["metadata"]["uid"]},
    }
    user = tokens.user_of(api.store, answer["status"]["token"])
    assert user is not None and user.name == claims["sub"]
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated")


def test_a_token_ends_with_its_time_its_account_and_its_pod(api: Api, account: Obj) -> None:
    api.create(PODS, pod())
    bound = api.create(TOKEN, asked(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"}))["status"]["token"]
    plain = api.create(TOKEN, asked(expirationSeconds=600))["status"]["token"]
    forged = plain[:-2] + ("AA" if not plain.endswith("AA") else "BB")

    assert tokens.user_of(api.store, forged) is None
    assert tokens.user_of(api.store, "x") is None
    assert tokens.user_of(api.store, bound) is not None
    api.store.delete("pods", "default", "p")
    assert tokens.user_of(api.store, bound) is None

    assert tokens.user_of(api.store, plain) is not None
    api.time += 601
    assert tokens.user_of(api.store, plain) is None

    fresh = api.create(TOKEN, asked())["status"]["token"]
    api.store.delete("serviceaccounts", "default", "default")
    assert tokens.user_of(api.store, fresh) is None


def test_a_token_for_others_opens_nothing_here(api: Api, account: Obj) -> None:
    token = api.create(TOKEN, asked(audiences=["vault"]))["status"]["token"]

    assert tokens.user_of(api.store, token) is None


INVALID = (
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: {}: may not specify a '
)


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({"expirationSeconds": 60}, 422, INVALID.format(60) + "duration less than 10 minutes"),
        ({"expirationSeconds": 2**32 + 1}, 422, INVALID.format(2**32 + 1) + "duration larger than 2^32 seconds"),
        (
            {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "nope"}},
            404,
            'pods "nope" not found',
        ),
        (
            {"boundObjectRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "d"}},
            400,
            "cannot bind token to object of type apps/v1, Kind=Deployment",
        ),
    ],
)
def test_a_token_request_is_validated(api: Api, account: Obj, spec: dict[str, Any], code: int, message: str) -> None:
    got, answer = api.call("POST", TOKEN, asked(**spec))

    assert (got, answer["message"]) == (code, message)


def test_a_token_of_an_account_that_is_not_there_is_not_made(api: Api) -> None:
    code, answer = api.call("POST", TOKEN, asked())

    assert (code, answer["message"]) == (404, 'serviceaccounts "default" not found')


@pytest.mark.parametrize(
    ("of_account", "of_pod", "mounted"),
    [(None, None, True), (False, None, False), (False, True, True), (True, False, False), (None, False, False)],
)
def test_the_pods_word_on_mounting_counts_before_its_accounts(
    api: Api, of_account: bool | None, of_pod: bool | None, mounted: bool
) -> None:
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    api.create(ACCOUNTS, made if of_account is None else {**made, "automountServiceAccountToken": of_account})
    spec = {} if of_pod is None else {"automountServiceAccountToken": of_pod}

    stored = api.create(PODS, pod(**spec))

    assert any(volume["name"].startswith("kube-api-access") for volume in stored["spec"].get("volumes", [])) is mounted
