"""Manifests and commands that once went wrong: what each file's head calls right is what happens."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.embedded.inprocess import Cluster
from grader.embedded.testing import SETTLED_SECONDS

CASES = Path(__file__).parent / "cases"
PATHS = {
    "Pod": "/api/v1/namespaces/default/pods",
    "Service": "/api/v1/namespaces/default/services",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
}
CURL = "curlimages/curl:8.17.0"


class Lab:
    """A cluster in this process and what tests ask of it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def apply(self, case: str, *, without: str = "") -> list[tuple[int, dict[str, Any]]]:
        """Create the objects of a case, but for one as `kind/name`; the answers."""
        answers = []
        for obj in yaml.safe_load_all((CASES / case).read_text(encoding="utf-8")):
            if f"{obj['kind']}/{obj['metadata']['name']}" != without:
                answers.append(self.create(obj))
        return answers

    def create(self, obj: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        json_type = {"Content-Type": "application/json"}
        status, body = self.cluster.request("POST", PATHS[obj["kind"]], json_type, json.dumps(obj).encode())
        return status, json.loads(body)

    def pod(self, name: str) -> dict[str, Any]:
        status, body = self.cluster.request("GET", f"{PATHS['Pod']}/{name}")
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def run(self, name: str, image: str, *command: str) -> None:
        spec = {"containers": [{"name": "main", "image": image, "command": list(command)}]}
        assert self.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})[0] == 201
        self.cluster.pass_time(3)

    def sh(self, pod: str, script: str, container: str | None = None) -> str:
        done = self.cluster.exec("default", pod, ["sh", "-c", script], container=container)
        return done.stdout.decode()

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.pod(name)["status"]["containerStatuses"][0]["state"]
        return found


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Cluster() as cluster:
        cluster.pass_time(SETTLED_SECONDS)
        yield Lab(cluster)


def test_busybox_1_28_uses_the_search_list(lab: Lab) -> None:
    text = (CASES / "busybox-1.28-nslookup.sh").read_text(encoding="utf-8")
    command = re.search(r"^kubectl run .*--image=(\S+) .* -- (.*)$", text, re.MULTILINE)
    right = re.search(r"^# right \(exit 0\):\n((?:#  .*\n|#\n)+)", text, re.MULTILINE)
    assert command and right
    lab.run("bb28", command[1], "sleep", "1000")
    done = lab.cluster.exec("default", "bb28", shlex.split(command[2]))
    assert (done.code, done.stdout.decode()) == (0, re.sub(r"^# {0,3}", "", right[1], flags=re.MULTILINE))


def test_two_containers_share_an_empty_dir_that_starts_empty(lab: Lab) -> None:
    assert [status for status, _ in lab.apply("emptydir-shared.yaml")] == [201, 201]
    lab.cluster.pass_time(5)
    assert lab.sh("pair", "curl -s localhost", "web") == "hello from the writer\n"
    assert lab.sh("pair", "ls /usr/share/nginx/html", "web") == "index.html\n"
    assert lab.sh("pair-init", "curl -s localhost", "web") == "hello from the init container\n"


def test_a_host_port_is_open_on_the_node(lab: Lab) -> None:
    (made, _), (refused, answer) = lab.apply("hostport.yaml")
    assert (made, refused) == (201, 422)
    text = "Invalid value: 8189: must match `containerPort` when `hostNetwork` is true"
    assert answer["message"].endswith(f"spec.containers[0].ports[0].hostPort: {text}")
    lab.run("client", CURL, "sleep", "1000")
    node = lab.pod("kiosk")["status"]["hostIP"]
    assert "<title>Welcome to nginx!</title>" in lab.sh("client", f"curl -s {node}:8188")


def test_a_pod_whose_init_container_never_ends_can_be_deleted(lab: Lab) -> None:
    lab.apply("init-never-ends.yaml")
    lab.cluster.pass_time(10)
    assert b"waiting\n" in lab.cluster.logs("default", "waits", "wait-for-stock")
    assert lab.cluster.request("DELETE", f"{PATHS['Pod']}/waits")[0] == 200
    lab.cluster.pass_time(5)
    assert lab.cluster.request("GET", f"{PATHS['Pod']}/waits")[0] == 404


def named(lab: Lab, prefix: str) -> str:
    """The name of a Deployment's only Pod."""
    pods = json.loads(lab.cluster.request("GET", PATHS["Pod"])[1])["items"]
    (name,) = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"].startswith(prefix)]
    return str(name)


def test_nginx_hands_requests_on_to_a_service_by_name(lab: Lab) -> None:
    lab.apply("nginx-proxy-pass.yaml")
    lab.run("client", CURL, "sleep", "1000")
    lab.cluster.pass_time(60)
    assert lab.sh("client", "curl -s http://desk/hostname") == named(lab, "stock-")


def test_nginx_does_not_start_without_the_service_behind_it(lab: Lab) -> None:
    lab.apply("nginx-proxy-pass.yaml", without="Service/stock")
    lab.cluster.pass_time(10)
    text = b'nginx: [emerg] host not found in upstream "stock" in /etc/nginx/conf.d/desk.conf:1\n'
    assert text in lab.cluster.logs("default", named(lab, "desk-"))


def test_a_container_runs_when_its_post_start_has_ended(lab: Lab) -> None:
    lab.apply("poststart.yaml")
    lab.run("client", CURL, "sleep", "1000")
    address = lab.pod("greeter")["status"]["podIP"]
    assert lab.sh("client", f"curl -s {address}") == "from greeter\n"
    assert lab.state("hung") == {"waiting": {"reason": "ContainerCreating"}}
    assert lab.state("fails")["waiting"]["reason"] in ("PostStartHookError", "CrashLoopBackOff")
