from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

MANIFESTS = Path(__file__).with_name("manifests")
BACKEND = (MANIFESTS / "backend.yaml").read_text()
CLIENT = (MANIFESTS / "client.yaml").read_text()
SERVICE = (MANIFESTS / "service.yaml").read_text()
KUBECTL = Path(sys.executable).with_name("kubectl")


BUSYBOX = "busybox:1.37"


@pytest.fixture
def backend(kubectl: Kubectl) -> Kubectl:
    """A ready backend with its Service, and a client Pod."""
    kubectl("apply", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}---\n{CLIENT}")
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=20s")
    return kubectl


@contextmanager
def forwarded(kubectl: Kubectl, *arguments: str) -> Iterator[int]:
    """A running port-forward on any local port; gives that port."""
    process = kubectl.start("port-forward", "--address=127.0.0.1", *arguments)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found is None:
            process.kill()
            pytest.fail(f"{line}{process.communicate()[1]}")
        yield int(found[1])
    finally:
        process.terminate()
        process.communicate()


def get(port: int, path: str = "/hostname") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def pods(kubectl: Kubectl) -> set[str]:
    return set(kubectl("get", "pods", "-l", "app=backend", "-o", "jsonpath={.items[*].metadata.name}").split())


class Screen:
    """kubectl on a real pseudo terminal."""

    def __init__(self, kubectl: Kubectl, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [str(KUBECTL), *arguments], stdin=slave, stdout=slave, stderr=slave, env=kubectl.environment(env)
        )
        os.close(slave)
        self.text = ""

    def until(self, pattern: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while re.search(pattern, self.text) is None:
            left = deadline - time.monotonic()
            assert left > 0 and self._read(left), f"{pattern!r} not seen in {self.text!r}"

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read(deadline - time.monotonic()):
            pass
        os.close(self._master)
        return self.process.wait(5)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the last holder of the other side is gone
            return False
        self.text += data.decode(errors="replace")
        return bool(data)


def test_exec_reaches_the_service_by_name(backend: Kubectl) -> None:
    answer = backend("exec", "client", "--", "curl", "-s", "-m", "5", "http://backend/hostname")

    assert answer in pods(backend)


def test_exec_hands_the_exit_code_and_both_outputs_over(backend: Kubectl) -> None:
    done = backend.run("exec", "client", "--", "sh", "-c", "echo out; echo err >&2; exit 7")

    assert done.returncode == 7
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\n")


def test_exec_feeds_standard_input_to_its_end(backend: Kubectl) -> None:
    assert backend("exec", "-i", "client", "--", "cat", stdin="one\ntwo\n") == "one\ntwo\n"


def test_exec_of_a_program_that_is_not_there_says_so(backend: Kubectl) -> None:
    assert "not-there" in backend.fails("exec", "client", "--", "not-there")


def test_exec_into_a_pod_or_container_that_is_not_there_says_so(backend: Kubectl) -> None:
    assert "NotFound" in backend.fails("exec", "nobody", "--", "true")
    assert "container other is not valid for pod client" in backend.fails("exec", "client", "-c", "other", "--", "true")


def test_exec_on_a_terminal_echoes_and_prompts(backend: Kubectl) -> None:
    screen = Screen(backend, "exec", "-it", "client", "--", "sh")
    screen.until(r"[#$] ")
    screen.type("echo $((6*7))-done\n")
    screen.until(r"\n42-done|\necho|42-done\r\n")
    screen.type("exit 3\n")

    assert screen.end() == 3
    assert "exit 3" in screen.text


SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false"}


def test_exec_goes_over_spdy_where_no_websocket_can_be_had(backend: Kubectl) -> None:
    done = backend.run("exec", "-i", "client", "--", "sh", "-c", "cat; echo two >&2; exit 3", stdin="one", env=SPDY)

    assert (done.returncode, done.stdout) == (3, "one")
    assert done.stderr.splitlines() == ["two", "command terminated with exit code 3"]


def test_spdy_carries_a_terminal_too(backend: Kubectl) -> None:
    screen = Screen(backend, "exec", "-it", "client", "--", "sh", env=SPDY)
    screen.until(r"[#$] ")
    screen.type("echo $((6*7))-done\n")
    screen.until(r"\n42-done|\necho|42-done\r\n")
    screen.type("exit 3\n")

    assert screen.end() == 3


def test_attach_goes_over_spdy_too(backend: Kubectl) -> None:
    done = backend.run(
        "run", "spdy", f"--image={BUSYBOX}", "--rm", "-i", "--restart=Never", "--", "cat", stdin="in\n", env=SPDY
    )

    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "in"
    assert "falling back" not in done.stderr


def test_a_short_command_on_a_terminal_ends_without_complaint(backend: Kubectl) -> None:
    for _ in range(12):
        screen = Screen(backend, "exec", "-it", "client", "--", "true")
        assert (screen.end(), screen.text) == (0, "")


def test_logs_are_shown_cut_and_followed(backend: Kubectl) -> None:
    backend("run", "chatty", f"--image={BUSYBOX}", "--", "sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.2; done")
    following = backend.start("logs", "-f", "chatty", "--pod-running-timeout=20s")
    backend("wait", "--for=condition=Ready", "pod/chatty", "--timeout=20s")
    if following.wait(20) != 0:
        following.communicate()
        following = backend.start("logs", "-f", "chatty")
    assert "line 3" in following.communicate(timeout=20)[0]

    assert backend("logs", "chatty", "--tail=1").startswith("line")
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z line", backend("logs", "chatty", "--timestamps", "--tail=1"))


def test_logs_by_label_and_deployment(backend: Kubectl) -> None:
    assert backend("logs", "-l", "app=backend", "--prefix").count("[pod/backend-") >= 3
    backend("logs", "deployment/backend")


def test_logs_of_a_container_that_waits_say_why(backend: Kubectl) -> None:
    backend("run", "broken", "--image=registry.example/no/such:1")
    deadline = time.monotonic() + 20
    while "waiting to start" not in (refused := backend.fails("logs", "broken")):
        assert time.monotonic() < deadline, refused
    assert "pull" in refused or "ContainerCreating" in refused


def test_run_with_rm_gives_the_output_and_takes_the_pod_away(backend: Kubectl) -> None:
    done = backend.run(
        "run", "one-off", f"--image={BUSYBOX}", "--rm", "-i", "--restart=Never", "--quiet", "--",
        "wget", "-qO-", "http://backend/hostname", stdin="",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert any(name in done.stdout for name in pods(backend))
    assert "NotFound" in backend.fails("get", "pod", "one-off")


def test_run_hands_the_exit_code_over(backend: Kubectl) -> None:
    done = backend.run(
        "run", "failing", f"--image={BUSYBOX}", "--rm", "-i", "--restart=Never", "--", "sh", "-c", "exit 5", stdin=""
    )

    assert done.returncode == 5


def test_run_on_a_terminal_is_a_shell(backend: Kubectl) -> None:
    screen = Screen(backend, "run", "shell", f"--image={BUSYBOX}", "--rm", "-it", "--restart=Never", "--", "sh")
    screen.until(r"[#$] ")
    screen.type("wget -qO- http://backend/hostname; echo\n")
    screen.until(r"backend-[a-z0-9]+-[a-z0-9]+")
    screen.type("exit\n")

    assert screen.end() == 0
    assert 'pod "shell" deleted' in screen.text


def test_attach_shows_what_a_running_container_says(backend: Kubectl) -> None:
    backend("run", "ticker", f"--image={BUSYBOX}", "--", "sh", "-c", "while true; do echo tick; sleep 0.1; done")
    backend("wait", "--for=condition=Ready", "pod/ticker", "--timeout=20s")
    attached = backend.start("attach", "ticker")
    assert attached.stdout is not None
    try:
        assert "tick" in attached.stdout.readline() + attached.stdout.readline()
    finally:
        attached.terminate()
        attached.communicate()


@pytest.mark.parametrize("target", ["pod", "service", "deployment"])
def test_port_forward(backend: Kubectl, target: str) -> None:
    name = sorted(pods(backend))[0]
    arguments = {
        "pod": (f"pod/{name}", ":8080"),
        "service": ("service/backend", ":80"),
        "deployment": ("deployment/backend", ":8080"),
    }[target]
    with forwarded(backend, *arguments) as port:
        answers = {get(port) for _ in range(3)}

    assert len(answers) == 1
    assert answers <= ({name} if target == "pod" else pods(backend))


def test_port_forward_to_a_port_where_nobody_listens(backend: Kubectl) -> None:
    with forwarded(backend, "pod/client", ":81") as port, pytest.raises(OSError):
        get(port)


def test_the_api_servers_proxies_reach_pods_and_services(backend: Kubectl) -> None:
    base = f"/api/v1/namespaces/{backend.namespace}"
    name = sorted(pods(backend))[0]

    assert backend("get", "--raw", f"{base}/pods/{name}:8080/proxy/hostname") == name
    assert backend("get", "--raw", f"{base}/services/backend:80/proxy/hostname") in pods(backend)
    assert backend("get", "--raw", f"{base}/pods/{name}:8080/proxy/echo?msg=a%20b") == "a b"
    assert "no service port 99 found" in backend.fails("get", "--raw", f"{base}/services/backend:99/proxy/")


def test_files_and_folders_are_copied_there_and_back(backend: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "site" / "deep").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_bytes(bytes(range(256)) * 4096)
    (tmp_path / "site" / "deep" / "one").write_text("1\n")
    backend("cp", str(tmp_path / "site"), "client:/tmp/site")
    assert backend("exec", "client", "--", "cat", "/tmp/site/deep/one") == "1\n"
    backend("cp", "client:/tmp/site", str(tmp_path / "back"), "--retries=2")
    assert (tmp_path / "back" / "index.html").read_bytes() == (tmp_path / "site" / "index.html").read_bytes()
    missing = backend.run("cp", "client:/nowhere", str(tmp_path / "none"))
    assert "/nowhere: No such file or directory" in missing.stdout + missing.stderr


def test_a_file_is_written_and_read_in_a_container(backend: Kubectl) -> None:
    assert backend("exec", "-i", "client", "--", "sh", "-c", "cat > /tmp/a; cat /tmp/a", stdin="x\n") == "x\n"


def test_a_container_that_loops_for_ever_does_not_keep_others_waiting(backend: Kubectl) -> None:
    looping = backend.start("exec", "client", "--", "sh", "-c", "echo begun; while true; do :; done")
    assert looping.stdout is not None
    try:
        assert looping.stdout.readline() == "begun\n"
        before = time.monotonic()
        assert backend("exec", "client", "--", "curl", "-s", "-m", "5", "http://backend/hostname") in pods(backend)
        assert time.monotonic() - before < 10
    finally:
        looping.terminate()
        looping.communicate()


def test_a_command_ends_with_the_client_that_started_it(backend: Kubectl) -> None:
    flood = backend.start("exec", "client", "--", "sh", "-c", "while true; do echo x > /tmp/alive; sleep 0.05; done")
    deadline = time.monotonic() + 20
    while backend.run("exec", "client", "--", "cat", "/tmp/alive").stdout != "x\n":
        assert time.monotonic() < deadline
    flood.kill()
    flood.communicate()

    while True:
        backend("exec", "client", "--", "sh", "-c", "echo > /tmp/alive; sleep 0.2")
        if backend("exec", "client", "--", "cat", "/tmp/alive") == "\n":
            return
        assert time.monotonic() < deadline
