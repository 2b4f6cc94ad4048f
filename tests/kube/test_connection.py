from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import trustme

from grader.errors import ClusterUnreachable
from grader.kube.connection import Connection, is_loopback, read, tls_context
from tests.kube.fake_api import kubeconfig


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, **user: str) -> Path:
    path = folder / "config"
    path.write_text(kubeconfig("https://cluster.example:6443/base/", **user))
    return path


def changed(folder: Path, change: dict[str, Any]) -> Path:
    path = folder / "config"
    path.write_text(json.dumps({**json.loads(kubeconfig("https://x")), **change}))
    return path


def test_server_is_taken_apart(tmp_path: Path) -> None:
    connection = read(written(tmp_path))
    assert (connection.host, connection.port, connection.base_path) == ("cluster.example", 6443, "/base")
    assert connection.encrypted


def test_certificates_are_read_inline_before_files(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("KEY")
    user = {"client-certificate-data": encoded("CERT"), "client-certificate": "missing.pem", "client-key": "key.pem"}
    connection = read(written(tmp_path, **user))
    assert (connection.certificate, connection.key) == ("CERT", "KEY")


def test_logins_become_an_authorization_header(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("fresh\n")
    assert read(written(tmp_path, token="t")).authorization == "Bearer t"
    assert read(written(tmp_path, token="t", tokenFile="token")).authorization == "Bearer fresh"
    assert read(written(tmp_path, username="a", password="b")).authorization == f"Basic {encoded('a:b')}"
    assert read(written(tmp_path)).authorization == ""


def test_a_login_by_program_is_run(tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-program"},
    }
    program = {"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [json.dumps(credential)]}
    path = changed(tmp_path, {"users": [{"name": "u", "user": {"exec": program}}]})
    assert read(path).authorization == "Bearer from-program"


@pytest.mark.parametrize(
    ("change", "code", "fact"),
    [
        ({"current-context": "gone"}, "kubeconfig-incomplete", "contexts/gone"),
        ({"clusters": []}, "kubeconfig-incomplete", "clusters/c"),
        ({"users": None}, "kubeconfig-incomplete", "users/u"),
        ({"clusters": [{"name": "c", "cluster": {}}]}, "kubeconfig-incomplete", "server"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, change: dict[str, Any], code: str, fact: str) -> None:
    with pytest.raises(ClusterUnreachable) as error:
        read(changed(tmp_path, change))
    assert (error.value.code, error.value.facts["missing"]) == (code, fact)


@pytest.mark.parametrize("content", [b"a: [", b"- list", b"\xff\xfe", b""])
def test_a_file_that_is_no_kubeconfig_is_told_of(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)
    with pytest.raises(ClusterUnreachable) as error:
        read(tmp_path / "config")
    assert error.value.code == "kubeconfig-unreadable"


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachable) as error:
        read(tmp_path / "config")
    assert error.value.code == "kubeconfig-missing"


def test_a_certificate_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachable) as error:
        read(written(tmp_path, **{"client-certificate": "gone.pem"}))
    assert error.value.code == "kubeconfig-unreadable"


def test_a_client_certificate_is_loaded_and_no_file_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    authority = trustme.CA()
    leaf = authority.issue_cert("me.example")
    connection = Connection(
        "https://x",
        ca=authority.cert_pem.bytes().decode(),
        certificate=leaf.cert_chain_pems[0].bytes().decode(),
        key=leaf.private_key_pem.bytes().decode(),
    )
    assert tls_context(connection).get_ca_certs()
    assert not list(tmp_path.iterdir())


def test_a_malformed_certificate_is_told_of() -> None:
    with pytest.raises(ClusterUnreachable):
        tls_context(Connection("https://x", ca="no certificate"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_loopback_is_recognised(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
