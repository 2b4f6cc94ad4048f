"""Whatever a learner did to the ground, it is as new afterwards: in every Namespace of the exercise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_
from grader.kube.client import KubeApi
from grader.kube.resources import by_plural
from grader.model.exercise import Exercise
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.ground.bounds import Bounds
from grader.workflow.ground.laying import given_ready
from grader.workflow.ground.restore import documents
from grader.workflow.proof import script
from grader.workflow.proof.verify import verify
from grader.workflow.session.reset import reset
from grader.workflow.session.start import start

GIVEN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: server
          image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
          args: [netexec, --http-port=8080]
---
apiVersion: v1
kind: Pod
metadata: {name: single, labels: {app: single}}
spec:
  containers:
    - {name: server, image: "registry.k8s.io/e2e-test-images/agnhost:2.63.0", args: [netexec, --http-port=8080]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {url: "http://192.0.2.1"}
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: names, namespace: restored-b}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-hand, namespace: restored-b, labels: {kubernetes.io/service-name: names}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [192.0.2.7]}]
"""
LABEL = "kubernetes.io/service-name"
EXERCISE = replace(
    exercises.load("clusterip"),
    id="restored",
    namespace="restored",
    namespaces=("restored-b",),
    given=GIVEN,
)


@pytest.fixture
def api(cluster: ClusterInfo) -> Iterator[KubeApi]:
    with KubeApi(cluster.kubeconfig) as made:
        yield made


@pytest.fixture(autouse=True)
def ground(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    reset(EXERCISE, cluster, tmp_path)
    until_ready(api)


def until_ready(api: KubeApi, exercise: Exercise = EXERCISE) -> None:
    assert any(given_ready(api, exercise) for _ in range(3000))


def renewed(commands: str, cluster: ClusterInfo, api: KubeApi, work: Path) -> tuple[str, ...]:
    """Let a learner type commands, reset, and tell what was removed."""
    ran = script.run(commands, EXERCISE.namespace, cluster, strict=True)
    assert ran.status == 0, ran.output
    removed = reset(EXERCISE, cluster, work).removed
    until_ready(api)
    return removed


def names(api: KubeApi, plural: str, namespace: str = "restored") -> list[str]:
    return sorted(item["metadata"]["name"] for item in api.list(plural, namespace))


def one(api: KubeApi, plural: str, name: str, namespace: str = "restored") -> dict[str, Any]:
    found = api.read(plural, name, namespace)
    assert found is not None
    return found


def pods(api: KubeApi) -> dict[str, str]:
    """The UIDs of the Deployment's Pods, by name."""
    found = api.list("pods", "restored", labels="app=web")
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


def test_what_was_left_alone_is_left_alone(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    before = pods(api), one(api, "pods", "single")["metadata"]["uid"]
    assert renewed("true", cluster, api, tmp_path) == ()
    assert (pods(api), one(api, "pods", "single")["metadata"]["uid"]) == before


def test_what_a_learner_made_goes_from_every_namespace_of_the_exercise(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    commands = """
        kubectl create service clusterip mine --tcp=80
        kubectl -n restored-b create configmap mine
        kubectl -n restored-b create service clusterip names-too --tcp=80
        kubectl create deployment mine --image=registry.k8s.io/e2e-test-images/agnhost:2.63.0 -- /agnhost pause
        kubectl -n restored-b run mine --image=registry.k8s.io/e2e-test-images/agnhost:2.63.0 -- pause
    """
    removed = renewed(commands, cluster, api, tmp_path)
    assert {"Service/mine", "ConfigMap/mine(restored-b)", "Service/names-too(restored-b)"} <= set(removed)
    assert {"Deployment/mine", "Pod/mine(restored-b)"} <= set(removed)
    assert names(api, "services") == ["plain"]
    assert names(api, "services", "restored-b") == ["names"]
    assert names(api, "configmaps", "restored-b") in (["kube-root-ca.crt"], [])
    assert names(api, "deployments") == ["web"]
    assert names(api, "pods", "restored-b") == []
    assert len(names(api, "pods")) == 4  # two of the Deployment, the single one, the probe


@pytest.mark.parametrize(
    "commands",
    [
        "kubectl delete service plain",
        'kubectl patch service plain -p \'{"spec": {"type": "NodePort", "selector": {"more": "x"}}}\'',
        "kubectl delete service plain; kubectl create service clusterip plain --clusterip=None",
    ],
)
def test_a_given_service_is_what_it_was(cluster: ClusterInfo, api: KubeApi, tmp_path: Path, commands: str) -> None:
    renewed(commands, cluster, api, tmp_path)
    spec = one(api, "services", "plain")["spec"]
    assert (spec["type"], spec["selector"]) == ("ClusterIP", {"app": "web"})
    assert spec["clusterIP"] not in ("", "None")
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080}]


def test_a_given_headless_service_is_headless_again(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    again = "kubectl -n restored-b delete service names; kubectl -n restored-b create service clusterip names --tcp=80"
    renewed(again, cluster, api, tmp_path)
    assert one(api, "services", "names", "restored-b")["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize(
    "change",
    ["delete endpointslice by-hand", "label endpointslice by-hand --overwrite kubernetes.io/service-name=other"],
)
def test_a_given_slice_is_what_it_was(cluster: ClusterInfo, api: KubeApi, tmp_path: Path, change: str) -> None:
    renewed(f"kubectl -n restored-b {change}", cluster, api, tmp_path)
    found = one(api, "endpointslices", "by-hand", "restored-b")
    assert found["metadata"]["labels"] == {"kubernetes.io/service-name": "names"}
    assert found["endpoints"][0]["addresses"] == ["192.0.2.7"]


def test_a_slice_that_a_learner_made_goes(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    slice_ = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: mine
  labels: {endpointslice.kubernetes.io/managed-by: me, kubernetes.io/service-name: plain}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [192.0.2.8]}]
"""
    apply_manifests(slice_, "restored", cluster)
    assert "EndpointSlice/mine" in renewed("true", cluster, api, tmp_path)


def test_a_given_config_map_is_what_it_was(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    patch = '{"data": {"url": "http://web", "more": "x"}, "immutable": true}'
    renewed(f"kubectl patch configmap settings -p '{patch}'", cluster, api, tmp_path)
    assert one(api, "configmaps", "settings")["data"] == {"url": "http://192.0.2.1"}


@pytest.mark.parametrize(
    "commands",
    [
        "kubectl label pod single app-",
        "kubectl delete pod single --now",
        "kubectl set image pod/single server=registry.k8s.io/e2e-test-images/agnhost:2.99.0",
        "kubectl delete pod single --now\n"
        "kubectl run single --labels=app=single --image=registry.k8s.io/e2e-test-images/agnhost:2.63.0 -- pause",
    ],
)
def test_a_given_pod_is_what_it_was(cluster: ClusterInfo, api: KubeApi, tmp_path: Path, commands: str) -> None:
    renewed(commands, cluster, api, tmp_path)
    found = one(api, "pods", "single")
    container = found["spec"]["containers"][0]
    assert found["metadata"]["labels"] == {"app": "single"}
    assert container["image"].endswith(":2.63.0")
    assert container["args"] == ["netexec", "--http-port=8080"]


@pytest.mark.parametrize(
    "commands",
    [
        "kubectl label pod --all app=other --overwrite",
        "kubectl label pod --selector=app=web extra=label",
        "kubectl scale deployment web --replicas=0",
        "kubectl delete deployment web",
        "kubectl set image deployment/web server=registry.k8s.io/e2e-test-images/agnhost:2.99.0",
        "kubectl rollout restart deployment web",
        "kubectl delete deployment web; kubectl create deployment web --image=registry.k8s.io/pause:3.10",
    ],
)
def test_a_given_deployment_has_its_pods_again(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path, commands: str
) -> None:
    renewed(commands, cluster, api, tmp_path)
    found = api.list("pods", "restored", labels="app=web")
    assert len(found) == 2
    for pod in found:
        assert set(pod["metadata"]["labels"]) == {"app", "pod-template-hash"}
        assert pod["spec"]["containers"][0]["image"].endswith("agnhost:2.63.0")
        assert "kubectl.kubernetes.io/restartedAt" not in (pod["metadata"].get("annotations") or {})
    assert len(names(api, "pods")) == 4


def test_a_ground_whose_pods_never_become_ready_comes_back_after_a_repair(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    probe = "          readinessProbe: {tcpSocket: {port: 9}}\n---"
    broken = replace(EXERCISE, given=GIVEN.replace("---", probe, 1), ready={"web": 0})
    reset(broken, cluster, tmp_path)
    until_ready(api, broken)
    assert not given_ready(api, replace(broken, ready={"web": 1}))
    apply_manifests(GIVEN.split("---")[0], "restored", cluster)
    until_ready(api)
    reset(broken, cluster, tmp_path)
    until_ready(api, broken)
    ready = [pod for pod in api.list("pods", "restored", labels="app=web") if _ready(pod)]
    assert ready == []


def _ready(pod: dict[str, Any]) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"]["conditions"])


def test_a_pod_that_started_beside_a_learners_service_does_not_keep_its_variables(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    commands = """
        kubectl create service clusterip mine --tcp=80
        kubectl delete pod --selector=app=web --now
        kubectl rollout status deployment web
    """
    renewed(commands, cluster, api, tmp_path)
    asked = "kubectl exec deployment/web -- env"
    assert "MINE_SERVICE_HOST" not in script.run(asked, "restored", cluster, strict=True).output


def test_an_exercise_may_give_nothing(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    bare = replace(EXERCISE, id="bare", namespace="bare", namespaces=(), given="# Nothing is given.\n")
    assert documents(bare) == ()
    start(bare, cluster, tmp_path)
    until_ready(api, bare)
    assert reset(bare, cluster, tmp_path).removed == ()


def test_what_the_server_refuses_is_an_error_of_the_environment(cluster: ClusterInfo, tmp_path: Path) -> None:
    bad = replace(
        EXERCISE, id="bad", namespace="bad", namespaces=(), given=GIVEN.split("---")[2].replace("settings", "A_B")
    )
    for job in (start, reset):
        with pytest.raises(EnvironmentError_) as caught:
            job(bad, cluster, tmp_path)
        assert caught.value.code == "given-refused"


def test_verify_proves_what_the_unsolved_ground_shows(cluster: ClusterInfo) -> None:
    from grader.model.exercise import Broken

    exercise = replace(exercises.load("clusterip"), broken=Broken("endpoints", "service-missing"))
    result = verify([exercise], cluster, only=("unsolved",))
    assert [(item.expected, item.sound) for item in result.attempts] == [("fail endpoints service-missing", True)]
    other = replace(exercise, broken=Broken("service", "service-type-differs"))
    assert not verify([other], cluster, only=("unsolved",)).sound


def test_a_hostile_manifest_touches_a_further_namespace_only_where_the_exercise_says_so(
    cluster: ClusterInfo, api: KubeApi
) -> None:
    text = "\n---\n".join(
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: mine, namespace: {namespace}}}\n{rest}"
        for namespace in ("restored", "restored-b", "default")
        for kind, rest in (("Service", "spec: {ports: [{port: 80}]}"), ("ConfigMap", "data: {a: b}"))
    )

    def reasons(**elsewhere: tuple[str, ...]) -> list[str]:
        there = {f"restored-{key}": kinds for key, kinds in elsewhere.items()}
        results = apply_manifests(text, "restored", cluster, bounds=Bounds(("Service", "ConfigMap"), there))
        return [str(item.status.get("reason", "")) if item.status else "" for item in results]

    foreign = "ForeignNamespace"
    assert reasons() == ["", "", foreign, foreign, foreign, foreign]
    assert api.read("services", "mine", "restored-b") is None
    assert reasons(b=("Service",)) == ["", "", "", "KindNotAllowed", foreign, foreign]
    assert api.read("configmaps", "mine", "restored-b") is None


def test_a_slice_that_was_changed_is_made_anew(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    start(EXERCISE, cluster, tmp_path)

    def by_hand() -> Any:
        return api.read("endpointslices", "by-hand", "restored-b")

    before = by_hand()["metadata"]
    api.patch(by_plural("endpointslices").path("restored-b", "by-hand"), {"metadata": {"labels": {LABEL: "other"}}})
    api.patch(by_plural("endpointslices").path("restored-b", "by-hand"), {"metadata": {"labels": {LABEL: "names"}}})
    assert by_hand()["metadata"]["generation"] == 3  # kube-proxy may use it for the other Service still
    reset(EXERCISE, cluster, tmp_path)
    after = by_hand()["metadata"]
    assert (after["generation"], after["labels"]) == (1, before["labels"])
    assert after["uid"] != before["uid"]
    reset(EXERCISE, cluster, tmp_path)
    assert by_hand()["metadata"]["uid"] == after["uid"]
