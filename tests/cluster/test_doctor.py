from __future__ import annotations

from pathlib import Path

import pytest

from grader.cluster.doctor import (
    Finding,
    State,
    check_disk,
    check_docker,
    check_inotify,
    check_kind,
    check_kubectl,
    check_memory,
    check_ports,
    check_proxy,
    check_python,
    check_system,
    examine,
    list_kind_clusters,
    works,
)
from grader.cluster.holders import Holder
from grader.cluster.machine import Engine, System
from grader.errors import ToolMissing
from grader.text import catalogue, labels, placeholders

GB = 10**9
HERE = Path("/somewhere")
HELD = {"address": "127.0.0.1", "port": "30081", "program": "nginx(1)"}

CASES = [
    (check_python((3, 11, 0)), State.OK, ""),
    (check_python((3, 10, 14)), State.MISSING, "python-old"),
    (check_kubectl("v1.37.0"), State.OK, ""),
    (check_kubectl("v1.32.9"), State.MISSING, "kubectl-old"),
    (check_kubectl(""), State.MISSING, "kubectl-old"),
    (check_kubectl("", ToolMissing("kubectl-missing", beside="x")), State.MISSING, "kubectl-missing"),
    (check_system(System("Linux", "6.8", "x86_64")), State.OK, ""),
    (check_system(System("macOS", "15.1", "arm64")), State.OK, ""),
    (check_system(System("WSL2", "5.15", "x86_64")), State.OK, ""),
    (check_system(System("WSL2", "5.15", "x86_64", windows_disk=True)), State.WARN, "wsl-windows-disk"),
    (check_system(System("WSL1", "4.4", "x86_64")), State.WARN, "wsl-old"),
    (check_docker(Engine("28.2.2", 8 * GB)), State.OK, ""),
    (check_docker(Engine("28.2.2", 8 * GB, rootless=True, cgroups="2")), State.OK, ""),
    (check_docker(Engine("28.2.2", 8 * GB, rootless=True, cgroups="1")), State.WARN, "docker-rootless"),
    (check_docker(None, ToolMissing("docker-missing")), State.WARN, "docker-missing"),
    (check_docker(None, ToolMissing("docker-stopped", reason="x")), State.WARN, "docker-stopped"),
    (list_kind_clusters(()), State.OK, ""),
    (check_kind("kind v0.33.0 go1.26.8 linux/amd64"), State.OK, ""),
    (check_kind("kind v0.29.0 go1.24 linux/amd64"), State.WARN, "kind-old"),
    (check_kind(""), State.WARN, "kind-missing"),
    (check_memory(8 * GB, 4 * GB), State.OK, ""),
    (check_memory(8 * GB, 2 * GB), State.WARN, "docker-memory"),
    (check_memory(1 * GB, 8 * GB), State.WARN, "docker-memory"),
    (check_memory(1 * GB, None), State.OK, ""),
    (check_memory(0, 8 * GB), State.OK, ""),
    (check_disk(50 * GB, HERE, kind=True), State.OK, ""),
    (check_disk(5 * GB, HERE, kind=True), State.WARN, "disk-full"),
    (check_disk(5 * GB, HERE, kind=False), State.OK, ""),
    (check_disk(GB // 2, HERE, kind=False), State.MISSING, "disk-full"),
    (check_ports("127.0.0.1", range(30080, 30090), None), State.OK, ""),
    (check_ports("127.0.0.1", range(30080, 30090), Holder("port-taken", HELD)), State.WARN, "port-taken"),
    (check_proxy({}), State.OK, ""),
    (check_proxy({"HTTPS_PROXY": "http://p:1"}), State.WARN, "proxy-loopback"),
    (check_proxy({"https_proxy": "http://p:1", "no_proxy": "a, 127.0.0.1"}), State.OK, ""),
    (check_proxy({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}), State.OK, ""),
    (check_inotify({}), State.OK, ""),
    (check_inotify({"max_user_instances": 128, "max_user_watches": 524288}), State.WARN, "inotify-low"),
    (check_inotify({"max_user_instances": 8192, "max_user_watches": 1048576}), State.OK, ""),
]


@pytest.mark.parametrize(("finding", "state", "code"), CASES)
def test_each_check_tells_what_it_saw(finding: Finding, state: State, code: str) -> None:
    assert (finding.state, finding.code) == (state, code)
    assert finding.ok == (code == "")
    assert finding.needed == (state is State.MISSING)


@pytest.mark.parametrize("finding", [case[0] for case in CASES])
def test_every_finding_has_its_sentences_and_their_facts(finding: Finding) -> None:
    assert placeholders(labels()[f"doctor.{finding.name}"]) <= finding.facts.keys()
    if finding.code:
        for sentence in catalogue("errors")[finding.code].values():
            assert placeholders(sentence) <= finding.facts.keys()


def test_a_low_limit_is_named_with_the_command_s_setting() -> None:
    finding = check_inotify({"max_user_instances": 128, "max_user_watches": 524288})
    assert finding.facts["wanted"] == "fs.inotify.max_user_instances=512"


def test_a_proxy_s_password_is_not_shown() -> None:
    assert check_proxy({"HTTPS_PROXY": "http://me:secret@p:1"}).facts["proxy"] == "http://p:1"


def test_a_machine_without_docker_is_examined_for_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "not" / "yet"))
    findings = {finding.name: finding for finding in examine("services-course")}
    assert findings["docker"].code == "docker-missing"
    assert findings["python"].ok
    assert findings["kubectl"].ok
    assert "kind" not in findings


FINE = check_python((3, 12, 1))
DOCKERLESS = check_docker(None, ToolMissing("docker-missing"))


def told(finding: Finding) -> str:
    return labels()[f"doctor.{finding.name}"].format_map(finding.facts)


def test_what_works_is_said_first() -> None:
    embedded, kind = examine("services-course")[:2]
    assert embedded.name.startswith("works-")
    assert kind.name.startswith("works-kind")


def test_without_docker_the_embedded_cluster_is_fine_and_kind_is_not() -> None:
    embedded, kind = works([FINE, DOCKERLESS])
    assert embedded.ok
    assert "内蔵クラスターを使えます" in told(embedded)
    assert kind.state is State.WARN
    assert "docker" in told(kind)


def test_a_cluster_that_runs_is_named() -> None:
    embedded, kind = works([FINE], running="mine")
    assert "クラスター mine が動いていて" in told(embedded)
    assert kind.ok


def test_what_the_course_cannot_do_without_keeps_both_from_working() -> None:
    embedded, kind = works([check_python((3, 10, 1)), FINE])
    assert embedded.needed
    assert not kind.ok
    assert "python" in told(embedded)
