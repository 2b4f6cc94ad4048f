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
    examine,
)
from grader.cluster.holders import Holder
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
    (check_docker("28.2.2"), State.OK, ""),
    (check_docker("", ToolMissing("docker-missing")), State.WARN, "docker-missing"),
    (check_docker("", ToolMissing("docker-stopped", reason="x")), State.WARN, "docker-stopped"),
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
    findings = {finding.name: finding for finding in examine()}
    assert findings["docker"].code == "docker-missing"
    assert findings["python"].ok
    assert findings["kubectl"].ok
    assert "kind" not in findings
