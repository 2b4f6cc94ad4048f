"""The API server as Pods reach it; answers are kind's (1.36.3), texts of curl those of its version 8."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.embedded.core.kernel import drive

PROBE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TRUST = f"--cacert {FOLDER}/ca.crt"


@pytest.fixture
def sh(cluster: Any) -> Any:
    cluster.pod("p")
    cluster.settle()

    def run(command: str) -> tuple[int, str]:
        process = cluster.world.exec("default", "p", None, ["sh", "-c", command])
        out = bytearray()
        process.on_output(lambda _fd, data: out.extend(data))
        return drive(cluster.kernel, cluster.clock, process.wait()), out.decode()

    return run


def test_public_paths_are_answered_without_a_token(sh: Any) -> None:
    code, said = sh("curl -sSk https://kubernetes.default/version")
    assert code == 0
    assert json.loads(said)["gitVersion"] == "v1.36.3"
    assert sh(f"curl -sS {TRUST} https://kubernetes.default.svc/livez") == (0, "ok")
    assert sh("curl -sSk https://10.96.0.1:443/healthz") == (0, "ok")


def test_what_is_not_public_is_forbidden_to_nobody_in_particular(sh: Any) -> None:
    code, said = sh("curl -sSk https://kubernetes.default/nope")

    assert code == 0
    assert said.startswith('{\n  "kind": "Status",\n')
    assert json.loads(said)["message"] == 'forbidden: User "system:anonymous" cannot get path "/nope"'


def test_the_mounted_token_is_its_accounts_who_may_nothing(sh: Any) -> None:
    bearer = f'-H "Authorization: Bearer $(cat {FOLDER}/token)"'
    url = f"https://kubernetes.default/api/v1/namespaces/$(cat {FOLDER}/namespace)/pods"

    code, said = sh(f"curl -sS {TRUST} {bearer} {url}")

    assert code == 0
    assert json.loads(said)["code"] == 403
    assert json.loads(said)["message"] == (
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group ""'
        ' in the namespace "default"'
    )
    assert json.loads(sh(f"curl -sS {TRUST} {bearer} https://kubernetes.default/api")[1])["kind"] == "APIVersions"


def test_a_wrong_token_is_unauthorized(sh: Any) -> None:
    code, said = sh('curl -sSk -H "Authorization: Bearer nobody" https://kubernetes.default/version -w " %{http_code}"')

    assert code == 0
    assert '"message": "Unauthorized"' in said
    assert said.endswith("} 401")


def test_a_certificate_of_an_unknown_authority_is_refused(sh: Any) -> None:
    code, said = sh("curl -sS https://kubernetes.default/version")

    assert code == 60
    assert said.startswith(
        "curl: (60) SSL certificate problem: unable to get local issuer certificate\n"
        "More details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy"
    )


def test_a_certificate_for_another_name_is_refused(sh: Any) -> None:
    code, said = sh(f"curl -sS {TRUST} --resolve api.example:443:10.96.0.1 https://api.example/version")

    assert code == 60
    assert "no alternative certificate subject name matches target host name 'api.example'" in said


def test_plain_http_is_told_so(sh: Any) -> None:
    assert sh("curl -sS http://kubernetes.default:443/") == (0, "Client sent an HTTP request to an HTTPS server.\n")


def test_a_server_without_tls_is_a_wrong_version_number(sh: Any) -> None:
    code, said = sh("curl -sSk https://localhost:8080/")

    assert code == 35
    assert "wrong version number" in said
