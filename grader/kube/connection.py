"""Where an API server is and how to be let in: one context of a kubeconfig, read without the official client.

Shape of the file: k8s.io/client-go/tools/clientcmd/api/v1/types.go. Certificates, tokens and passwords are read here; a
login that needs a program or a cloud (`exec`, `auth-provider`) is left to the official client, imported only then.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from grader.errors import ClusterUnreachable


@dataclass(frozen=True)
class Connection:
    """One API server and one login.

    Attributes:
        server: base URL, "https://127.0.0.1:6443".
        ca: PEM of the certificate authority, "" for the system's.
        certificate: PEM of the client certificate, "" where there is none.
        key: PEM of the client certificate's key.
        authorization: value of the Authorization header, "" where there is none.
        server_name: the name that the server's certificate must bear, "" for the host of `server`.
        insecure: the server's certificate is not verified.
        proxy: URL of an HTTP proxy that the kubeconfig asks for, "" for what the environment says.
    """

    server: str
    ca: str = ""
    certificate: str = ""
    key: str = ""
    authorization: str = ""
    server_name: str = ""
    insecure: bool = False
    proxy: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        login = {"Authorization": self.authorization} if self.authorization else {}
        return {"Accept": "application/json", "User-Agent": "grader", **login}

    @property
    def host(self) -> str:
        """The server's host, without brackets and port."""
        return urlsplit(self.server).hostname or ""

    @property
    def port(self) -> int:
        """The server's TCP port."""
        parts = urlsplit(self.server)
        return parts.port or (80 if parts.scheme == "http" else 443)

    @property
    def base_path(self) -> str:
        """What stands before every path, "" for most servers."""
        return urlsplit(self.server).path.rstrip("/")

    @property
    def encrypted(self) -> bool:
        """Whether the server speaks TLS."""
        return urlsplit(self.server).scheme != "http"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, which no proxy can reach in our place."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read(kubeconfig: Path, context: str | None = None) -> Connection:
    """Read one context of a kubeconfig file; None means its current one.

    Raises ClusterUnreachable ("kubeconfig-missing", "kubeconfig-unreadable", "kubeconfig-incomplete").
    """
    data = load(kubeconfig)
    try:
        chosen = context or data.get("current-context") or ""
        entry = named(data, "contexts", "context", chosen)
        cluster = named(data, "clusters", "cluster", entry.get("cluster", ""))
        user = named(data, "users", "user", entry["user"]) if entry.get("user") else {}
    except KeyError as missing:
        raise ClusterUnreachable("kubeconfig-incomplete", path=kubeconfig, missing=missing.args[0]) from missing
    if not cluster.get("server"):
        raise ClusterUnreachable("kubeconfig-incomplete", path=kubeconfig, missing="server")
    base = kubeconfig.parent
    try:
        connection = Connection(
            server=cluster["server"].rstrip("/"),
            ca=_pem(cluster, "certificate-authority", base),
            certificate=_pem(user, "client-certificate", base),
            key=_pem(user, "client-key", base),
            authorization=_authorization(user, base),
            server_name=cluster.get("tls-server-name") or "",
            insecure=bool(cluster.get("insecure-skip-tls-verify")),
            proxy=cluster.get("proxy-url") or "",
        )
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise ClusterUnreachable("kubeconfig-unreadable", path=kubeconfig, reason=error) from error
    if "exec" in user or "auth-provider" in user:
        return _logged_in_by_official_client(kubeconfig, chosen, connection)
    return connection


def load(kubeconfig: Path) -> dict[str, Any]:
    """Parse a kubeconfig file. Raises ClusterUnreachable ("kubeconfig-missing", "kubeconfig-unreadable")."""
    try:
        text = kubeconfig.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ClusterUnreachable("kubeconfig-missing", path=kubeconfig) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterUnreachable("kubeconfig-unreadable", path=kubeconfig, reason=error) from error
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ClusterUnreachable("kubeconfig-unreadable", path=kubeconfig, reason=error) from error
    if not isinstance(data, dict):
        raise ClusterUnreachable("kubeconfig-unreadable", path=kubeconfig, reason="not a mapping")
    return data


def named(data: Mapping[str, Any], section: str, content: str, name: str) -> dict[str, Any]:
    """The content of one entry of a kubeconfig's named list. Raises KeyError ("section/name") where it is missing."""
    for item in data.get(section) or ():
        if isinstance(item, dict) and item.get("name") == name:
            return dict(item.get(content) or {})
    raise KeyError(f"{section}/{name}")


def tls_context(connection: Connection) -> ssl.SSLContext:
    """What a TLS handshake with this server needs.

    Made from `SSLContext` itself: `create_default_context` turns VERIFY_X509_STRICT on from Python 3.13, which refuses
    authorities that Kubernetes' own tools made without an Authority Key Identifier.

    Raises ClusterUnreachable ("kubeconfig-unreadable") where a certificate or key is malformed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if connection.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif connection.ca:
            context.load_verify_locations(cadata=connection.ca)
        else:
            context.load_default_certs()
        if connection.certificate:
            # The ssl module reads a client certificate from a file only; NamedTemporaryFile's is 0600.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as handle:
                handle.write(f"{connection.certificate}\n{connection.key}\n")
                handle.flush()
                context.load_cert_chain(handle.name)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ClusterUnreachable("kubeconfig-unreadable", path=connection.server, reason=error) from error
    return context


def _pem(section: Mapping[str, Any], field: str, base: Path) -> str:
    """A PEM given inline as base64 (`field-data`, which wins) or as a path relative to the kubeconfig's folder."""
    if inline := section.get(f"{field}-data"):
        return base64.b64decode(inline).decode()
    return (base / section[field]).read_text(encoding="utf-8") if section.get(field) else ""


def _authorization(user: Mapping[str, Any], base: Path) -> str:
    """The Authorization header of a login by token (a token file wins, as in client-go) or by password."""
    if user.get("tokenFile"):
        return f"Bearer {(base / user['tokenFile']).read_text(encoding='utf-8').strip()}"
    if user.get("token"):
        return f"Bearer {user['token']}"
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return ""


def _logged_in_by_official_client(kubeconfig: Path, context: str, connection: Connection) -> Connection:
    """Run the login that needs a program or a cloud with the official client, and take over what it yields."""
    from dataclasses import replace

    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config
    from kubernetes.config.config_exception import ConfigException

    configuration = Configuration()
    try:
        load_kube_config(  # type: ignore[no-untyped-call]
            config_file=str(kubeconfig), context=context, client_configuration=configuration, persist_config=False
        )
    except (ConfigException, OSError, ValueError, KeyError) as error:
        raise ClusterUnreachable("login-failed", path=kubeconfig, reason=error) from error
    token = configuration.get_api_key_with_prefix("authorization") or configuration.get_api_key_with_prefix(
        "BearerToken"
    )
    certificate = Path(configuration.cert_file).read_text() if configuration.cert_file else connection.certificate
    key = Path(configuration.key_file).read_text() if configuration.key_file else connection.key
    return replace(connection, authorization=token or connection.authorization, certificate=certificate, key=key)
