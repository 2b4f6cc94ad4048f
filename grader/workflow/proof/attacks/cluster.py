"""What verdicts rest on outside an exercise is changed: nodes, cluster DNS, kube-proxy, our probes on the nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.cluster.info import ClusterInfo
from grader.cluster.probes import probe, probe_name
from grader.cluster.provider import Progress
from grader.kube.client import KubeApi
from grader.kube.client import Object as Live
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_ready, name_of
from grader.model.report import Report
from grader.model.vantage import PROBE_NAMESPACE
from grader.workflow.ground.laying import wait_until
from grader.workflow.proof.attacks.hands import Change, Hands, drop, edit_at, put, resource_of
from grader.workflow.proof.attacks.ours import impostor
from grader.workflow.proof.attacks.run import ATTACK, DEADLINE, attempt
from grader.workflow.proof.attacks.site import Site
from grader.workflow.proof.mutations import excused
from grader.workflow.proof.together import Shock, Standing, Struck, Way, together
from grader.workflow.proof.verify import Attempt, Task, VerifyResult

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
ZONE = "topology.kubernetes.io/zone"
SYSTEM = "kube-system"
REWRITE = "rewrite name exact grader.example kubernetes.default.svc.cluster.local"
SECONDS, PAUSE = 30.0, 0.05


def worker(api: KubeApi) -> Live:
    """Choose the last node that is not the control plane's."""
    return [node for node in api.list("nodes") if CONTROL_PLANE not in node["metadata"]["labels"]][-1]


def _node(word: str, there: Change, back: Change) -> Callable[[KubeApi, Sequence[Standing]], Struck]:
    """Make the shock of a change to a node, whose name the card must hold beside the word."""

    def strike(api: KubeApi, _grounds: Sequence[Standing]) -> Struck:
        node = name_of(worker(api))
        path = resource_of("Node").path(name=node)
        edit_at(api, path, there)
        return Struck(lambda: edit_at(api, path, back), tuple(part for part in (node, word) if part))

    return strike


def _config(
    name: str, key: str, change: Callable[[str], str]
) -> Callable[[KubeApi, Sequence[Standing]], Struck | None]:
    """Make the shock of a change to a ConfigMap of the cluster's own, where there is one."""

    def strike(api: KubeApi, _grounds: Sequence[Standing]) -> Struck | None:
        live = api.read("configmaps", name, SYSTEM)
        if live is None or key not in live.get("data", {}):
            return None
        path = resource_of("ConfigMap").path(SYSTEM, name)
        was = live["data"][key]
        edit_at(api, path, put(("data", key), change(was)))
        return Struck(lambda: edit_at(api, path, put(("data", key), was)), (name,))

    return strike


def _probe_replaced(api: KubeApi, _grounds: Sequence[Standing]) -> Struck:
    node = name_of(worker(api))
    name = probe_name(node)
    facts = {"exercise": name, "namespace": PROBE_NAMESPACE}
    image = api.get(resource_of("Pod").path(PROBE_NAMESPACE, name))["spec"]["containers"][0]["image"]

    def instead(pod: Live) -> None:
        api.delete("pods", name, PROBE_NAMESPACE, grace_seconds=0)
        wait_until(api, lambda: api.read("pods", name, PROBE_NAMESPACE) is None, SECONDS, PAUSE, **facts)
        api.create(pod, namespace=PROBE_NAMESPACE)
        wait_until(api, lambda: is_ready(api.read("pods", name, PROBE_NAMESPACE) or {}), SECONDS, PAUSE, **facts)

    instead(impostor(name, node))
    return Struck(lambda: instead(probe(node, image)), (name,))


def _rewritten(corefile: str) -> str:
    """Put a rewrite into the server block of the cluster's zone."""
    return corefile.replace("    errors\n", f"    errors\n    {REWRITE}\n", 1)


def _shock(name: str, strike: Callable[[KubeApi, Sequence[Standing]], Struck | None], outcome: str = "fail") -> Shock:
    def told(exercise: Exercise, report: Report, struck: Struck, seconds: float) -> Attempt:
        expected = "pass" if excused(exercise.id, name) else outcome
        task = Task(ATTACK, name, None, expected, operator=name, names=struck.names)
        return attempt(exercise, task, report, seconds)

    return Shock(name, strike, told)


TAINT = {"key": "example.com/reserved", "value": "us", "effect": "NoSchedule"}
SHOCKS: tuple[Shock, ...] = (
    _shock("corefile-rewritten", _config("coredns", "Corefile", _rewritten)),
    _shock("kube-proxy-reconfigured", _config("kube-proxy", "config.conf", lambda text: f"{text}\n# changed\n")),
    _shock(
        "zone-relabelled", _node(ZONE, put(("metadata", "labels", ZONE), "far"), drop(("metadata", "labels", ZONE)))
    ),
    _shock("node-cordoned", _node("", put(("spec", "unschedulable"), True), drop(("spec", "unschedulable")))),
    _shock("node-tainted", _node("", put(("spec", "taints"), [TAINT]), drop(("spec", "taints")))),
    _shock("node-probe-replaced", _probe_replaced, "pass"),  # `check` makes its own instruments anew
)


def attack_cluster(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    progress: Progress | None = None,
    *,
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
    way: Way | None = None,
) -> VerifyResult:
    """Attack the cluster under the reference answers of all exercises. Arguments and errors as `together`."""

    def solve(api: KubeApi, exercise: Exercise, where: ClusterInfo) -> None:
        Hands(api, where, Site(exercise)).answer()

    limit = min(deadline, DEADLINE)
    return together(exercises, cluster, SHOCKS, solve, progress, only=only, deadline=limit, parallel=parallel, way=way)
