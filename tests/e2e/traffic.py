"""Services at random, and everything that can be seen of them from everywhere, named so that clusters compare.

A scene is a set of Pods and Services, and what then happens to the Pods. It is built on two clusters, and looked at
through the grader's own eyes (grader/observe): who answers at each address from each node and from outside, whom the
backend sees, what the names stand for, what the slices and statuses say.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from grader.cluster.info import ClusterInfo
from grader.kube import kubectl
from grader.kube.client import KubeApi
from grader.model.evidence import DnsQuestion, Outcome, ReachQuestion
from grader.model.vantage import PROBE_NAMESPACE
from grader.observe.carriers import ApiCarrier, Carrier, PodCarrier
from grader.observe.container import ContainerCarrier
from grader.observe.dns import ask_dns
from grader.observe.reach import ask_reach

Obj = dict[str, Any]
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
ROLES = ("control-plane", "worker", "worker2")
OUTSIDE = "outside"
TRIES = 40
"""Connections to an address: that one of four endpoints is missed has the chance (3/4)^40."""
EXTERNAL_IP = "198.51.100."
SICK = ("test", "-e", "/tmp/well")


@dataclass(frozen=True)
class Look:
    """One thing to look at.

    Attributes:
        service: the Service that it is about.
        what: "reach", "source", "dns" or "object".
        where: what is asked there, in words that are the same on every cluster.
        vantage: a node's role, or OUTSIDE.
    """

    service: str
    what: str
    where: str
    vantage: str = ""


def pods(roll: random.Random) -> list[Obj]:
    """Backends on all nodes: one not ready, groups at random; in some scenes, ports of two numbers under one name."""
    made = []
    numbers = roll.choice(((8080,), (8080, 9090)))
    for index, role in enumerate(("worker", "worker", "worker2", "worker2", "control-plane", "worker2")):
        port = roll.choice(numbers)
        probe = {"exec": {"command": list(SICK if index == 5 else ("true",))}, "periodSeconds": 1}
        container = {
            "name": "server",
            "image": AGNHOST,
            "args": ["netexec", f"--http-port={port}", "--udp-port=-1", "--delay-shutdown=900"],
            "ports": [{"name": "http", "containerPort": port}],
            "readinessProbe": probe,
        }
        labels = {"app": "backend", "group": roll.choice("abc"), "name": f"p{index}"}
        spec = {
            "nodeName": role,
            "terminationGracePeriodSeconds": 900,
            "containers": [container],
            **({"hostname": f"host{index}", "subdomain": f"s{roll.randrange(12)}"} if roll.random() < 0.3 else {}),
        }
        metadata = {"name": f"p{index}", "labels": labels}
        made.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    return made


def scene(seed: int, count: int) -> list[Obj]:
    """The Pods, and so many Services."""
    roll = random.Random(seed)
    backends = pods(roll)
    alike = len({pod["spec"]["containers"][0]["ports"][0]["containerPort"] for pod in backends}) == 1
    return [*backends, *(_service(roll, f"s{index}", index, alike=alike) for index in range(count))]


def _service(roll: random.Random, name: str, index: int, *, alike: bool) -> Obj:
    """A Service of any type with whatever changes where traffic goes; `alike`: all Pods have the same port."""
    kind = roll.choices(("ClusterIP", "NodePort", "LoadBalancer", "headless", "ExternalName"), (6, 5, 5, 3, 1))[0]
    body: Obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}}
    if kind == "ExternalName":
        target = f"s{roll.randrange(max(1, index))}.NAMESPACE.svc.cluster.local"
        return {**body, "spec": {"type": kind, "externalName": target}}
    selectors: tuple[Obj | None, ...] = (
        {"app": "backend"}, {"group": "a"}, {"group": "b"}, {"group": "c"}, {"name": "p0"}, {"name": "p5"},
        {"app": "nobody"}, None,
    )  # fmt: skip
    selector = roll.choices(selectors, (6, 3, 3, 3, 2, 1, 1, 1))[0]
    # one that not all Pods listen at would be refused now and then: nothing to compare
    numbers: tuple[int | str, ...] = (8080, 9090) if alike or "name" in (selector or {}) else ("http",)
    ports = [
        {"name": f"port{n}", "port": 80 + n, "targetPort": roll.choice(("http", "http", *numbers, *numbers, "nosuch"))}
        for n in range(roll.choice((1, 1, 2)))
    ]
    spec: Obj = {"ports": ports}
    if selector is not None:
        spec["selector"] = selector
    if roll.random() < 0.15:
        spec["publishNotReadyAddresses"] = True
    if kind == "headless":
        return {**body, "spec": {**spec, "clusterIP": "None"}}
    spec["type"] = kind
    if roll.random() < 0.2:
        spec["sessionAffinity"] = "ClientIP"
    if roll.random() < 0.3:
        spec["internalTrafficPolicy"] = "Local"
    if roll.random() < 0.25:
        spec["trafficDistribution"] = "PreferSameNode"
    external = kind != "ClusterIP"
    if roll.random() < 0.2:
        spec["externalIPs"] = [f"{EXTERNAL_IP}{index + 1}"]
        external = True
    if external and roll.random() < 0.4:
        spec["externalTrafficPolicy"] = "Local"
    if kind == "LoadBalancer" and roll.random() < 0.3:
        spec["loadBalancerSourceRanges"] = [roll.choice(("192.0.2.0/24", "10.244.0.0/16", "0.0.0.0/0"))]
    if kind == "LoadBalancer" and roll.random() < 0.2:
        spec["allocateLoadBalancerNodePorts"] = False
    return {**body, "spec": spec}


class Stage:
    """One cluster with a scene on it.

    Args:
        info: the cluster.
        namespace: where the scene is built; made, and deleted by `close`.
        patience: seconds until a connection counts as unanswered. A real node limits how often it says that a port is
            unreachable (net.ipv4.icmp_ratelimit), so that some are refused at the second or third SYN only.
    """

    def __init__(self, info: ClusterInfo, namespace: str, patience: float = 1.0) -> None:
        self.info = info
        self.namespace = namespace
        self.api = KubeApi(info.kubeconfig)
        names = [node["metadata"]["name"] for node in self.api.list("nodes")]
        self.nodes = {role: next(name for name in names if name.endswith(f"-{role}")) for role in ROLES}
        self._roles = {name: role for role, name in self.nodes.items()}
        self._outside = _outside(info, self.api)
        self.services: dict[str, Obj] = {}
        self.facts: dict[str, str] = {}
        self.homes: dict[str, str] = {}
        self.patience = patience

    def close(self) -> None:
        """Leave the cluster as it was."""
        self.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait")
        if isinstance(self._outside, ContainerCarrier):
            self._outside.close()
        self.api.close()

    def kubectl(self, *arguments: str, stdin: str = "", strict: bool = False) -> str:
        """Run kubectl in the Namespace; what it printed."""
        done = subprocess.run(
            ["kubectl", "-n", self.namespace, *arguments],
            input=stdin,
            env=kubectl.environment(self.info.kubeconfig),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        assert not (strict and done.returncode), done.stdout
        return done.stdout

    def build(self, objects: list[Obj]) -> None:
        """Make the Namespace, Pods and Services, and wait for what can become ready."""
        self.kubectl("create", "namespace", self.namespace, strict=True)
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).replace("NAMESPACE", self.namespace)
        for role, name in self.nodes.items():
            text = text.replace(f'"nodeName": "{role}"', f'"nodeName": "{name}"')
        self.kubectl("apply", "-f", "-", stdin=text, strict=True)
        self.kubectl("wait", "--for=condition=Ready", "pod", "-l", "name!=p5", "--timeout=120s", strict=True)

    def read(self) -> None:
        """Read what the cluster has given the Services, and who has which address."""
        self.services = {obj["metadata"]["name"]: obj for obj in self.api.list("services", self.namespace)}
        found = self.api.list("pods", self.namespace)
        nodes = self.api.list("nodes")
        self.facts = {pod["status"]["podIP"]: pod["metadata"]["name"] for pod in found if pod["status"].get("podIP")}
        self.homes = {pod["spec"].get("hostname", pod["metadata"]["name"]): pod["spec"]["nodeName"] for pod in found}
        for pod in self.api.list("pods", PROBE_NAMESPACE):
            self.facts[pod["status"]["podIP"]] = f"the probe of {self._roles[pod['spec']['nodeName']]}"
        for node in nodes:
            role = self._roles[node["metadata"]["name"]]
            self.facts[node["status"]["addresses"][0]["address"]] = role
            self.facts[node["spec"]["podCIDR"].replace(".0/24", ".1")] = f"the gateway of {role}"

    def looks(self) -> Iterator[tuple[Look, Callable[[], object]]]:
        """Everything there is to look at, with how."""
        for name, service in sorted(self.services.items()):
            yield Look(name, "object", "service"), partial(self._service, service)
            yield Look(name, "object", "slices"), partial(self._slices, name)
            for kind, record in (("A", name), ("SRV", f"_port0._tcp.{name}"), ("A", f"host0.{name}")):
                question = DnsQuestion("", f"{record}.{self.namespace}.svc.cluster.local.", kind)
                yield Look(name, "dns", f"{kind} {record}", "worker"), partial(self._dns, question)
            sticky = service["spec"].get("sessionAffinity") == "ClientIP"
            for where, host, port in self._addresses(service):
                for vantage in (*ROLES, OUTSIDE):
                    if vantage == OUTSIDE and where.startswith(("the cluster IP", "an external IP", "the name")):
                        continue
                    announced = vantage == OUTSIDE and where.startswith("the load balancer")
                    for what, request in (("reach", "hostname"), ("source", "clientip")):
                        question_ = ReachQuestion(vantage, host, port, bound=TRIES, request=request)
                        see = partial(self._reach, question_, sticky=sticky, announced=announced)
                        yield Look(name, what, where, vantage), see

    def _addresses(self, service: Obj) -> Iterator[tuple[str, str, int]]:
        spec, name = service["spec"], service["metadata"]["name"]
        if spec["type"] == "ExternalName":
            return
        for port in spec["ports"]:
            told = f"port {port['port']}"
            if spec["clusterIP"] == "None":
                if isinstance(port["targetPort"], int):
                    yield f"the name, {told}", f"{name}.{self.namespace}.svc.cluster.local.", port["targetPort"]
                continue
            yield f"the cluster IP, {told}", spec["clusterIP"], port["port"]
            for address in spec.get("externalIPs") or ():
                yield f"an external IP, {told}", address, port["port"]
            for ingress in service["status"]["loadBalancer"].get("ingress") or ():
                yield f"the load balancer, {told}", ingress["ip"], port["port"]
            if port.get("nodePort"):
                for address, role in self.facts.items():
                    if role in ROLES:
                        yield f"node port of {role}, {told}", address, port["nodePort"]

    def _reach(self, question: ReachQuestion, *, sticky: bool, announced: bool) -> object:
        # a name stands for one address a batch: as many single tries as endpoints need
        asked = replace(question, least=TRIES) if question.host.endswith(".") else question
        answer = ask_reach(self._carrier(question.vantage), asked, self.patience, 8.0)
        if answer.outcome is not Outcome.ANSWERED:
            return str(answer.outcome)
        if sticky and question.request == "hostname":
            return f"{len(answer.responders)} of them"
        names = sorted(str(self.facts.get(responder, responder)) for responder in answer.responders)
        names = ["somebody" if name[0].isdigit() else name for name in names]
        if question.request == "clientip" and (sticky or announced):
            # whose masquerade is seen depends on the endpoint and the announcing node, which are chosen at random
            return ["a node" if name.endswith(ROLES) and not name.startswith("the probe") else name for name in names]
        if announced:
            return "those of one node" if len({self.homes.get(name) for name in names}) == 1 else names
        return names

    def _dns(self, question: DnsQuestion) -> object:
        answer = ask_dns(self._carrier("worker"), question, self.namespace)
        known = {**self.facts, **{obj["spec"].get("clusterIP", ""): "the cluster IP" for obj in self.services.values()}}
        words = [
            " ".join(known.get(word, _dashed(word, known)) for word in record.split()) for record in answer.records
        ]
        return [str(answer.rcode), *sorted(words)]

    def _service(self, service: Obj) -> object:
        spec = {key: value for key, value in service["spec"].items() if key not in ("clusterIP", "clusterIPs")}
        spec["ports"] = [{**port, "nodePort": "nodePort" in port} for port in spec.get("ports", ())]
        spec["healthCheckNodePort"] = "healthCheckNodePort" in spec
        ingress = service["status"]["loadBalancer"].get("ingress") or ()
        return json.loads(json.dumps([spec, [sorted(one) for one in ingress]]).replace(self.namespace, "NAMESPACE"))

    def _slices(self, name: str) -> object:
        found = []
        for slice_ in self.api.list("endpointslices", self.namespace):
            if slice_["metadata"]["labels"]["kubernetes.io/service-name"] != name:
                continue
            ports = sorted((port.get("name") or "", port.get("port") or 0) for port in slice_.get("ports") or ())
            for endpoint in slice_.get("endpoints") or ():
                hints = [self._roles[one["name"]] for one in (endpoint.get("hints") or {}).get("forNodes", ())]
                who = endpoint["targetRef"]["name"]
                node = self._roles[endpoint["nodeName"]]
                found.append([who, node, endpoint.get("hostname"), endpoint["conditions"], hints, ports])
        return sorted(json.loads(json.dumps(found)), key=str)

    def _carrier(self, vantage: str) -> Carrier:
        return (
            self._outside
            if vantage == OUTSIDE
            else PodCarrier(self.api, PROBE_NAMESPACE, f"probe-{self.nodes[vantage]}")
        )


def _outside(info: ClusterInfo, api: KubeApi) -> Carrier:
    scheme, _, client = info.outside.partition(":")
    return ContainerCarrier(client) if scheme == "docker" else ApiCarrier(api, client)


def _dashed(word: str, known: Mapping[str, str]) -> str:
    """Name the address in a generated name, `10-244-1-5.s1.ns.svc.cluster.local.`."""
    first, dot, rest = word.partition(".")
    return f"{known.get(first.replace('-', '.'), first)}{dot}{rest}"


def differences(ours: Stage, real: Stage, patience: float, at_once: int = 16) -> tuple[int, list[str]]:
    """How many things were looked at, and those that the real cluster shows otherwise, however long one waits."""
    ours.read()
    real.read()
    wanted, asked = dict(ours.looks()), dict(real.looks())
    assert set(asked) == set(wanted), set(asked) ^ set(wanted)

    def compare(look: Look) -> str:
        end = time.monotonic() + patience
        while (seen := asked[look]()) != (expected := wanted[look]()):
            if time.monotonic() > end:
                return f"{look}\n  real: {seen}\n  ours: {expected}\n  {real.services[look.service]['spec']}"
            time.sleep(0.5)
        return ""

    with ThreadPoolExecutor(at_once) as pool:
        return len(wanted), [text for text in pool.map(compare, wanted) if text]
