"""The files of one running cluster: certificate and token, kubeconfig, the record that tells others where it listens.

All of them live in the cluster's folder, readable by its owner only.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
from pathlib import Path
from typing import Any

from grader.paths import write_atomically

HOST = "127.0.0.1"
NAMES = (HOST, "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1")


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for the API server; authority and certificate are made the first time and kept in the folder.

    Raises OSError where the folder cannot be written.
    """
    chain = folder / "server.pem"
    if not (chain.is_file() and (folder / "ca.crt").is_file()):
        import trustme  # takes longer to import than the whole rest, and is needed once in a cluster's life

        authority = trustme.CA(organization_name="kubernetes-services-course")
        certificate = authority.issue_cert(*NAMES)
        write_atomically(folder / "ca.crt", authority.cert_pem.bytes().decode("ascii"), mode=0o600)
        write_atomically(chain, certificate.private_key_and_cert_chain_pem.bytes().decode("ascii"), mode=0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain)
    context.set_alpn_protocols(["http/1.1"])
    return context


def token(folder: Path) -> str:
    """The bearer token of the cluster's administrator, made the first time."""
    path = folder / "token"
    if not path.is_file():
        write_atomically(path, secrets.token_urlsafe(32), mode=0o600)
    return path.read_text(encoding="ascii")


def write_kubeconfig(folder: Path, name: str, port: int) -> Path:
    """Write the cluster's own kubeconfig file, mode 0600, and return its path. YAML is a superset of JSON."""
    path = folder / "kubeconfig"
    authority = base64.b64encode((folder / "ca.crt").read_bytes()).decode("ascii")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": f"https://{HOST}:{port}", "certificate-authority-data": authority},
            }
        ],
        "users": [{"name": name, "user": {"token": token(folder)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    write_atomically(path, json.dumps(config, indent=1) + "\n", mode=0o600)
    return path


def remembered_port(folder: Path) -> int:
    """The port that the API server had last time, 0 where there was none; kept so that clients reconnect."""
    try:
        return int(json.loads((folder / "endpoint.json").read_text(encoding="utf-8"))["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0


def write_endpoint(folder: Path, facts: dict[str, Any]) -> None:
    """Write down where the running process listens."""
    write_atomically(folder / "endpoint.json", json.dumps(facts, indent=1), mode=0o600)
