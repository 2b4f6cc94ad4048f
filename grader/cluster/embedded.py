"""The embedded cluster as a provider: one background process that needs neither Docker nor privileges.

The process holds a lock on its folder for as long as it lives, so whether it runs is never guessed from a process id
that may belong to somebody else by now: the kernel drops the lock with the process, whatever ended it.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grader
from grader.cluster.info import ClusterInfo, Provider, folder
from grader.cluster.probes import PROBE_IMAGE, probe_name
from grader.cluster.provider import NodeStatus, Progress, Status
from grader.cluster.readiness import Lack, View, lacks, to_replace
from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.core.nodes import node_plans
from grader.errors import ClusterUnreachable, EnvironmentError_, UsageError
from grader.model.vantage import PROBE_NAMESPACE
from grader.paths import state_root

READY_SECONDS = 30.0  # far more than a cold start on a slow machine takes
ANSWER_SECONDS = 5.0
STOP_SECONDS = 5.0
LOG_BYTES = 1_000_000  # a log that has grown beyond is begun anew at the next start


@dataclass(frozen=True)
class ServerProcess:
    """Where a running process listens, as it wrote down itself.

    Attributes:
        pid: its process id.
        port: port of the API server on 127.0.0.1.
        version: Kubernetes version.
        dns: where the cluster's DNS answers on this machine, over UDP and TCP: "127.0.0.1:PORT".
    """

    pid: int
    port: int
    version: str
    dns: str

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ServerProcess:
        """Read what the process says of itself. Raises KeyError, ValueError."""
        return cls(int(facts["pid"]), int(facts["port"]), str(facts["version"]), str(facts["dns"]))


class EmbeddedProvider:
    """Brings embedded clusters up and down; implements ClusterProvider."""

    def up(self, name: str, options: Mapping[str, str], progress: Progress) -> ClusterInfo:
        """Start the process, or find the one that runs, and make nodes and probe Pods again that are gone.

        A process that does not answer is replaced. Raises ClusterUnreachable, EnvironmentError_, UsageError.
        """
        if options:
            raise UsageError("unknown-cluster-option", option=next(iter(options)), provider="embedded")
        place = folder(name)
        with alone(place):
            endpoint = wait_until_answers(place)
            if endpoint is None and running(place):
                progress("embedded-replacing", {"name": name})
                stop(place)
            elif endpoint is not None and _lost_nodes(name, place, endpoint):
                progress("embedded-restarting", {"name": name})
                stop(place)  # a kubelet registers its node only when it starts
                endpoint = None
            if endpoint is None:
                progress("embedded-starting", {"name": name})
                endpoint = start(name, place)
            info = self._record(name, place, endpoint)
            if _lost_probes(place, endpoint):
                _place_probes(info, progress)
        progress("embedded-ready", {"name": name, "version": endpoint.version})
        return info

    def _record(self, name: str, place: Path, endpoint: ServerProcess) -> ClusterInfo:
        info = ClusterInfo(
            name=name,
            provider=Provider.EMBEDDED,
            kubeconfig=place / "kubeconfig",
            version=endpoint.version,
            outside=f"api:{OUTSIDE}",
            host_ports_path=HOST_PORTS,
            pid=endpoint.pid,
        )
        info.save()
        return info

    def down(self, name: str, progress: Progress) -> None:
        """Stop the process and remove the cluster's folder."""
        place = folder(name)
        if not place.exists():
            return
        progress("embedded-stopping", {"name": name})
        with alone(place):
            stop(place)
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise EnvironmentError_("cluster-folder-stays", path=place, error=error) from error

    def status(self, name: str) -> Status:
        """Whether the process runs and its API server answers, and the nodes."""
        place = folder(name)
        pid = running(place)
        if not pid:
            known = (place / "cluster.json").exists() or (place / "endpoint.json").exists()
            return Status(running=False, ready=False, detail="stopped" if known else "not-created")
        endpoint = read_endpoint(place)
        if endpoint is None or endpoint.pid != pid:
            return Status(running=True, ready=False, detail="starting")
        try:
            answer = get(place, endpoint, "/api/v1/nodes")
        except OSError as error:
            return Status(running=True, ready=False, detail="unreachable", facts={"error": str(error)})
        nodes = tuple(_node(item) for item in answer["items"])
        ready = all(node.ready for node in nodes) and not _lost(name, answer["items"])
        detail = "ready" if ready else "nodes-not-ready"
        return Status(running=True, ready=ready, detail=detail, facts={"dns": endpoint.dns}, nodes=nodes)


def _lost_nodes(name: str, place: Path, endpoint: ServerProcess) -> bool:
    return _lost(name, _listed(place, endpoint, "/api/v1/nodes"))


def _listed(place: Path, endpoint: ServerProcess, path: str) -> list[dict[str, Any]]:
    """The objects of a list; a process that has just started may take its time. Raises ClusterUnreachable."""
    try:
        found: list[dict[str, Any]] = get(place, endpoint, path, READY_SECONDS)["items"]
    except OSError as error:
        raise ClusterUnreachable("api-unreachable", server=f"127.0.0.1:{endpoint.port}", reason=error) from error
    return found


def _lost(name: str, nodes: list[dict[str, Any]]) -> bool:
    """Whether one of the nodes that the cluster begins with is not there any more."""
    there = {item["metadata"]["name"] for item in nodes}
    return not there.issuperset(plan.name for plan in node_plans(name))


def _lost_probes(place: Path, endpoint: ServerProcess) -> bool:
    """Whether a node has no probe Pod, or one that will not come back by itself."""
    items = _listed(place, endpoint, f"/api/v1/namespaces/{PROBE_NAMESPACE}/pods")
    live = {pod["metadata"]["name"] for pod in items if not pod["metadata"].get("deletionTimestamp")}
    nodes = _listed(place, endpoint, "/api/v1/nodes")
    wanted = {probe_name(node["metadata"]["name"]) for node in nodes}
    return not live.issuperset(wanted) or any(map(to_replace, items))


def _place_probes(info: ClusterInfo, progress: Progress) -> None:
    """Make the missing probe Pods; what else the learner has done to the cluster is nobody's to wait for."""
    from grader.cluster.placing import place_probes  # takes longer to load than `up` does
    from grader.kube.client import KubeApi

    def missing(view: View) -> tuple[Lack, ...]:
        return tuple(lack for lack in lacks(view) if lack.what in ("namespace", "probe"))

    with KubeApi(info.kubeconfig, timeout=READY_SECONDS) as api:
        place_probes(api, PROBE_IMAGE, progress, missing)


def _node(item: dict[str, Any]) -> NodeStatus:
    status = item.get("status", {})
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
    addresses = {address["type"]: address["address"] for address in status.get("addresses", ())}
    version = status.get("nodeInfo", {}).get("kubeletVersion", "")
    return NodeStatus(item["metadata"]["name"], ready, addresses.get("InternalIP", ""), version)


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Make the cluster's folder where it is missing and lock it, so that ups and downs come one after the other."""
    while True:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not place.exists() or os.fstat(descriptor).st_ino != place.stat().st_ino:
                continue  # a `down` removed the folder meanwhile
            yield
            return
        finally:
            os.close(descriptor)


def running(place: Path) -> int:
    """The process id of the process that runs this cluster, 0 where none does, -1 where it has just begun."""
    try:
        with open(place / "lock", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(handle.read() or 0) or -1
    except FileNotFoundError:
        pass
    return 0


def forget_pid(place: Path) -> None:
    """Empty the lock file of a process that ended without doing so, lest its number is taken for the next one's."""
    with open(place / "lock", "a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        handle.truncate(0)


def read_endpoint(place: Path) -> ServerProcess | None:
    """Where the process said it listens, None where it has not said so yet."""
    try:
        facts = json.loads((place / "endpoint.json").read_text(encoding="utf-8"))
        return ServerProcess.of(facts)
    except (FileNotFoundError, ValueError, KeyError):
        return None


def start(name: str, place: Path) -> ServerProcess:
    """Start the process in the background and wait until it is ready. Raises ClusterUnreachable, with the log's end."""
    forget_pid(place)
    log_path = place / "log.txt"
    command = [sys.executable, "-m", "grader.embedded", "--name", name, "--state", str(place), "--background"]
    keep = log_path.exists() and log_path.stat().st_size < LOG_BYTES
    with open(log_path, "ab" if keep else "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=place,
            env=child_environment(),
            start_new_session=True,
        )
    line = _ready_line(process, READY_SECONDS)
    process.wait()
    if line:
        facts = json.loads(line)
        return ServerProcess.of(facts)
    stop(place)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
    raise ClusterUnreachable("embedded-did-not-start", name=name, log=log_path, tail=tail)


def child_environment() -> dict[str, str]:
    """The process's environment: it finds this package, and compiles it once even where no __pycache__ is wanted."""
    environment = dict(os.environ)
    root = str(Path(grader.__file__).resolve().parent.parent)
    paths = [root, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(state_root() / "bytecode"))
    return environment


def _ready_line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """The one line that the process writes when it is ready; b"" when it ended or took too long."""
    assert process.stdout is not None
    received = b""
    deadline = time.monotonic() + seconds
    with process.stdout as pipe:
        while not received.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                return b""
            data = os.read(pipe.fileno(), 4096)
            if not data:
                return b""
            received += data
    return received


def wait_until_answers(place: Path) -> ServerProcess | None:
    """Where the process listens, once it answers; None where none runs, or it stays silent or never gets ready."""
    started = time.monotonic()
    while pid := running(place):
        endpoint = read_endpoint(place)
        waited = time.monotonic() - started
        if endpoint is not None and endpoint.pid == pid:
            try:
                get(place, endpoint, "/readyz")
                return endpoint
            except OSError:
                if waited > ANSWER_SECONDS:
                    return None
        elif waited > READY_SECONDS:
            return None
        time.sleep(0.02)
    return None


def get(place: Path, endpoint: ServerProcess, path: str, limit: float | None = None) -> Any:
    """GET on the cluster's API server: parsed JSON, or text.

    Args:
        place: the cluster's folder.
        endpoint: where it listens.
        path: what to get.
        limit: seconds that each step may take, ANSWER_SECONDS by default.

    Raises OSError where it does not answer with 200.
    """
    context = ssl.create_default_context(cafile=str(place / "ca.crt"))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", endpoint.port, timeout=limit or ANSWER_SECONDS, context=context
    )
    try:
        token = (place / "token").read_text(encoding="ascii")
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise ConnectionError(f"HTTP {answer.status} {answer.reason}")
    return json.loads(body) if "json" in answer.headers.get("Content-Type", "") else body.decode()


def stop(place: Path) -> None:
    """Stop the process of this folder, gently and then not. Raises EnvironmentError_ where it stays."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = running(place)
        if not pid:
            return
        try:
            if pid > 0:
                os.kill(pid, number)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            raise EnvironmentError_("embedded-does-not-stop", pid=pid) from error
        deadline = time.monotonic() + STOP_SECONDS
        while running(place) and time.monotonic() < deadline:
            time.sleep(0.01)
    if (pid := running(place)) < 0:  # it has the lock, and has not said who it is
        raise EnvironmentError_("embedded-busy", name=place.name, lock=place / "lock")
    if pid:
        raise EnvironmentError_("embedded-does-not-stop", pid=pid)
