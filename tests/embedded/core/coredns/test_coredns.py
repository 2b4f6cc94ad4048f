"""What is written into the Corefile is what the cluster's DNS does, and its log tells."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grader.embedded.core.settings import COREFILE

NAME = "web.default.svc.cluster.local."
RELOADED = 35.0


class Dns:
    """The cluster's DNS, as a Pod sees it and as its operator does."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    def ask(self, name: str, type_: str = "A") -> tuple[str, list[str]]:
        host = self.cluster.world.kubelets.worker(self.cluster.probe()).container().host
        reply = self.cluster.run(host.dns(name, type_))
        return reply.rcode, [f"{record.name} {record.ttl} {record.data}" for record in reply.answers]

    def write(self, corefile: str, wait: float = RELOADED) -> None:
        store = self.cluster.store
        config = store.get("configmaps", "kube-system", "coredns")
        store.update("configmaps", {**config, "data": {"Corefile": corefile}})
        self.cluster.settle(wait)

    def pods(self) -> list[str]:
        found = self.cluster.store.list("pods", "kube-system")
        return [p["metadata"]["name"] for p in found if p["metadata"]["labels"].get("k8s-app") == "kube-dns"]

    def log(self) -> list[str]:
        logs = [self.cluster.world.logs("kube-system", name) for name in self.pods()]
        return [line.text.decode().rstrip("\n") for log in logs for line in log.lines]


@pytest.fixture
def dns(cluster: Any) -> Dns:
    cluster.service("web", {"app": "web"})
    return Dns(cluster)


def changed(old: str, new: str) -> str:
    assert old in COREFILE
    return COREFILE.replace(old, new)


def test_the_log_begins_with_what_is_served_and_with_which_configuration(dns: Dns) -> None:
    log = dns.log()
    assert log[1] == ".:53"
    assert log[2].startswith("[INFO] plugin/reload: Running configuration SHA512 = ")
    assert "CoreDNS-1.14.2" in log


def test_the_corefile_is_read_again_and_queries_are_logged(dns: Dns) -> None:
    before = dns.log()
    dns.write(changed("    errors\n", "    errors\n    log\n"))
    assert [line for line in dns.log() if line not in before and "SHA512" not in line] == 2 * [
        "[INFO] Reloading",
        "[INFO] Reloading complete",
    ]
    dns.ask(NAME)
    dns.ask("nowhere.default.svc.cluster.local.")
    queries = [line for line in dns.log() if '"A IN' in line]
    client = dns.cluster.world.machine(dns.cluster.probe()).ip
    line = next(line for line in queries if NAME in line)
    pattern = rf'\[INFO\] \S+:\d+ - \d+ "A IN {NAME} udp 47 false 512" NOERROR qr,aa,rd \d+ 0\.\d{{9}}s'
    assert re.fullmatch(pattern, line)
    assert f" {client}:" in line
    assert {line.split('" ')[1].split()[0] for line in queries} == {"NOERROR", "NXDOMAIN"}


def test_a_corefile_that_is_refused_leaves_the_one_of_before_in_force(dns: Dns) -> None:
    dns.write(changed("    loop\n", "    foo\n"))
    why = "/etc/coredns/Corefile:20 - Error during parsing: Unknown directive 'foo'"
    assert f"[ERROR] Restart failed: {why}" in dns.log()
    reload = "[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: "
    assert reload + why in dns.log()
    assert dns.ask(NAME)[0] == "NOERROR"
    dns.cluster.delete("pods", dns.pods()[0], "kube-system", grace=0)
    dns.cluster.settle(30)
    crashing = [p for p in dns.cluster.store.list("pods", "kube-system") if p["metadata"]["name"] in dns.pods()]
    assert sorted(p["status"]["containerStatuses"][0]["restartCount"] > 0 for p in crashing) == [False, True]
    assert dns.log().count(why) == 1
    assert dns.ask(NAME)[0] == "NOERROR"  # by the one that still runs


def test_a_property_that_a_plugin_does_not_know_is_refused(dns: Dns) -> None:
    dns.write(changed("pods insecure", "pod insecure"))
    why = "plugin/kubernetes: /etc/coredns/Corefile:8 - Error during parsing: unknown property 'pod'"
    assert f"[ERROR] Restart failed: {why}" in dns.log()


def test_broken_syntax_is_warned_of_and_changes_nothing(dns: Dns) -> None:
    dns.write(COREFILE.rstrip().removesuffix("}"))
    assert any(line.startswith("[WARNING] plugin/reload: Corefile parse failed: ") for line in dns.log())
    assert dns.ask(NAME)[0] == "NOERROR"


def test_a_plugin_that_is_not_emulated_says_so(dns: Dns) -> None:
    dns.write(changed("    loop\n", "    autopath @kubernetes\n"))
    assert "[WARNING] plugin/autopath: not emulated by the embedded cluster; it has no effect" in dns.log()


def test_hosts_answer_before_the_cluster_and_let_the_rest_through(dns: Dns) -> None:
    dns.write(changed("    ready\n", "    ready\n    hosts {\n  10.1.2.3 db.example.test\n  fallthrough\n    }\n"))
    assert dns.ask("db.example.test.") == ("NOERROR", ["db.example.test. 30 10.1.2.3"])  # the cache caps 3600
    assert dns.ask("db.example.test.", "AAAA") == ("NOERROR", [])
    assert dns.ask(NAME)[0] == "NOERROR"


@pytest.mark.parametrize(
    ("rule", "asked", "answered"),
    [
        ("name exact shop.example.test web.default.svc.cluster.local", "shop.example.test.", "shop.example.test."),
        ("name shop.example.test web.default.svc.cluster.local", "shop.example.test.", "shop.example.test."),
        ("name suffix .corp.test .default.svc.cluster.local answer auto", "web.corp.test.", "web.corp.test."),
        ("name suffix .corp.test .default.svc.cluster.local", "web.corp.test.", NAME),
        (r"name regex (.*)\.in\.(.*)\.test {1}.{2}.svc.cluster.local answer auto", "web.in.default.test.", None),
    ],
)
def test_names_are_rewritten_and_answered_for(dns: Dns, rule: str, asked: str, answered: str | None) -> None:
    dns.write(changed("    ready\n", f"    ready\n    rewrite {rule}\n"))
    rcode, found = dns.ask(asked)
    assert (rcode, found[0].split()[0]) == ("NOERROR", answered or asked)


def test_times_to_live_and_the_names_of_pods_are_as_configured(dns: Dns) -> None:
    probe = dns.cluster.world.machine(dns.cluster.probe()).ip
    unknown, known = "10-9-9-9.default.pod.cluster.local.", f"{probe.replace('.', '-')}.course-probe.pod.cluster.local."
    assert dns.ask(unknown)[0] == "NOERROR"
    dns.write(changed("pods insecure", "pods verified").replace("ttl 30", "ttl 7"))
    assert dns.ask(NAME)[1][0].split()[1] == "7"
    assert (dns.ask(unknown)[0], dns.ask(known)[0]) == ("NXDOMAIN", "NOERROR")
    dns.write(changed("pods insecure", "pods disabled"))
    assert dns.ask(known)[0] == "NXDOMAIN"


def test_with_a_cache_for_the_cluster_answers_are_stale_until_their_time_is_over(dns: Dns) -> None:
    disabled = "".join(f"       disable {what} cluster.local\n" for what in ("success", "denial"))
    dns.write(changed(f"    cache 30 {{\n{disabled}    }}\n", "    cache 30\n"))
    dns.cluster.store.update("deployments", _scaled(dns.cluster, 1))
    dns.cluster.settle(5)
    assert dns.ask(NAME)[0] == "NOERROR"
    dns.cluster.store.delete("services", "default", "web")
    dns.cluster.settle(10)
    rcode, found = dns.ask(NAME)
    assert (rcode, found[0].split()[1]) == ("NOERROR", "20")
    dns.cluster.settle(21)
    assert dns.ask(NAME)[0] == "NXDOMAIN"


def _scaled(cluster: Any, replicas: int) -> Any:
    coredns = cluster.store.get("deployments", "kube-system", "coredns")
    return {**coredns, "spec": {**coredns["spec"], "replicas": replicas}}


def test_a_zone_is_forwarded_to_another_server_of_the_cluster(dns: Dns) -> None:
    corefile = ". {\n  hosts {\n    10.7.7.7 a.stub.test\n  }\n}\n"
    dns.cluster.store.create(
        "configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stub", "namespace": "default"},
         "data": {"Corefile": corefile}},
    )  # fmt: skip
    container = {
        "name": "dns",
        "image": "registry.k8s.io/coredns/coredns:v1.14.2",
        "args": ["-conf", "/stub/Corefile"],
        "volumeMounts": [{"name": "c", "mountPath": "/stub"}],
    }
    dns.cluster.pod("stub", containers=[container], volumes=[{"name": "c", "configMap": {"name": "stub"}}])
    dns.cluster.settle()
    ip = dns.cluster.world.index.pod(("default", "stub"))["status"]["podIP"]
    dns.write(f"{COREFILE}stub.test:53 {{\n    errors\n    forward . {ip}\n}}\n")
    assert dns.ask("a.stub.test.") == ("NOERROR", ["a.stub.test. 3600 10.7.7.7"])


def test_a_name_that_no_upstream_knows_is_an_error_in_the_log(dns: Dns) -> None:
    assert dns.ask("example.com.")[0] == "SERVFAIL"
    assert any(re.match(r"\[ERROR\] plugin/errors: 2 example\.com\. A: read udp ", line) for line in dns.log())
