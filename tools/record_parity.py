"""Record how a real cluster answers the cases of tests/embedded/core/api/parity_cases.py.

    python -m tools.record_parity --kubeconfig FILE

Writes tests/embedded/core/api/parity.json. The cluster needs a Namespace of its own (it is made and emptied between
cases) and Kubernetes of the version that the embedded cluster claims to be.
"""

from __future__ import annotations

import argparse
import base64
import json
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.embedded.core.api import parity_cases, parity_shape

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "embedded" / "core" / "api"


class Cluster:
    """The API of a real cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._server = cluster["server"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=authority)
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "client.pem"
            for key in ("client-certificate-data", "client-key-data"):
                with pem.open("ab") as handle:
                    handle.write(base64.b64decode(user[key]) + b"\n")
            self._context.load_cert_chain(pem)

    def call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, Any, list[str]]:
        """Status, decoded body and warnings of one request."""
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": "parity"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._context) as answer:
                return answer.status, json.loads(answer.read()), answer.headers.get_all("Warning") or []
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers.get_all("Warning") or []


def clean(cluster: Cluster) -> None:
    """Empty the Namespace."""
    options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    for group, _, plural in (served.rpartition("/") for served in parity_cases.PLURALS.values()):
        if plural in ("services", "configmaps"):
            continue
        prefix = "/api" if group == "v1" else "/apis"
        cluster.call("DELETE", f"{prefix}/{group}/namespaces/{parity_cases.NAMESPACE}/{plural}", options)
    for plural in ("services", "configmaps"):
        path = f"/api/v1/namespaces/{parity_cases.NAMESPACE}/{plural}"
        for item in cluster.call("GET", path)[1]["items"]:
            if item["metadata"]["name"] != "kube-root-ca.crt":
                cluster.call("DELETE", f"{path}/{item['metadata']['name']}")


def main() -> None:
    """Record all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--output", type=Path, default=FOLDER / "parity.json", help="where the answers go")
    options = parser.parse_args()
    cluster = Cluster(options.kubeconfig)
    ground(cluster)
    before = FOLDER / "parity.json"
    recorded = json.loads(before.read_text()) if before.exists() else {"answers": {}}
    recorded["version"] = cluster.call("GET", "/version")[1]["gitVersion"]
    known = parity_cases.all_cases()
    for name, steps in known.items():
        if options.only not in name:
            continue
        clean(cluster)
        recorded["answers"][name] = [
            parity_shape.shape(cluster.call(*parity_shape.http(step)), steps) for step in steps
        ]
    leave(cluster)
    recorded["answers"] = {name: recorded["answers"][name] for name in sorted(known) if name in recorded["answers"]}
    options.output.write_text(parity_shape.written(recorded))


def ground(cluster: Cluster) -> None:
    """Make the Namespace, and wait until Pods can be made there."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": parity_cases.NAMESPACE}}
    while cluster.call("POST", "/api/v1/namespaces", namespace)[1].get("reason") == "AlreadyExists":
        status, found, _ = cluster.call("GET", f"/api/v1/namespaces/{parity_cases.NAMESPACE}")
        if status == 200 and found["status"].get("phase") == "Active":
            break
        time.sleep(0.2)  # one that an earlier run deleted is still going
    for _ in range(100):
        if cluster.call("GET", f"/api/v1/namespaces/{parity_cases.NAMESPACE}/serviceaccounts/default")[0] == 200:
            break
        time.sleep(0.1)
    clean(cluster)


def leave(cluster: Cluster) -> None:
    """Leave the cluster as it was."""
    clean(cluster)
    cluster.call("DELETE", f"/api/v1/namespaces/{parity_cases.NAMESPACE}")


if __name__ == "__main__":
    main()
