"""Cold start of a bare kube-apiserver with etcd, beside which the embedded cluster's is read."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.row import Row

NEEDED = ("etcd", "kube-apiserver")


def missing(folder: Path | None) -> str:
    """Name what is not there of what this needs, "" where all is."""
    return ", ".join(name for name in NEEDED if _find(folder, name) is None)


def measure(folder: Path | None, runs: int) -> list[Row]:
    """From starting both processes until /readyz is ok."""
    return [Row("kube-apiserver and etcd: up, ready", "s", tuple(_start(folder) for _ in range(runs)))]


def _find(folder: Path | None, name: str) -> str | None:
    return shutil.which(name, path=str(folder) if folder else None)


def _start(folder: Path | None) -> float:
    work = Path(tempfile.mkdtemp(prefix="bench-apiserver-"))
    client, peer, secure = _free_port(), _free_port(), _free_port()
    key = work / "sa.key"
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    etcd = f"http://127.0.0.1:{client}"
    commands = (
        [
            _find(folder, "etcd") or "", "--data-dir", str(work / "etcd"), "--listen-client-urls", etcd,
            "--advertise-client-urls", etcd, "--listen-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{peer}",
        ],
        [
            _find(folder, "kube-apiserver") or "", "--etcd-servers", etcd, "--secure-port", str(secure),
            "--cert-dir", str(work / "certs"), "--service-cluster-ip-range", "10.96.0.0/16",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", str(key),
            "--service-account-signing-key-file", str(key), "--authorization-mode", "RBAC",
        ],
    )  # fmt: skip
    begun = time.perf_counter()
    with (work / "log").open("wb") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log, cwd=work) for command in commands]
    try:
        while not _ready(secure):
            if time.perf_counter() - begun > 120:
                raise RuntimeError(f"not ready after 120 s: {(work / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        for process in processes:
            process.kill()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with contextlib.suppress(urllib.error.URLError, OSError):
        with opener.open(f"https://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    return False


FOLDER = Path(os.environ["KUBE_BIN"]) if "KUBE_BIN" in os.environ else None
"""Where the two programs are; None: on PATH."""
