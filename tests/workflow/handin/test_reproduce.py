"""What a learner did on one cluster is done again on another: here, on the same one after a reset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import exercises
from grader.causes.scene import Scene
from grader.cluster.info import ClusterInfo
from grader.criteria.env import Env, Known
from grader.errors import ManifestError, UsageError
from grader.kube.client import KubeApi
from grader.model.evidence import Action
from grader.model.exercise import Criterion
from grader.model.ground import Given, GroundRule
from grader.model.report import Hop
from grader.workflow.check import observe_once
from grader.workflow.ground.laying import wait_ready
from grader.workflow.handin.handed import read
from grader.workflow.handin.reproduce import reproduce
from grader.workflow.handin.submit import submit
from grader.workflow.proof import script
from grader.workflow.session.reset import reset
from grader.workflow.session.start import start
from tests.workflow.ground.test_restore import GIVEN

PORTS = "ports: [{containerPort: 8080}]"
EXERCISE = replace(
    exercises.load("clusterip"),
    id="handed",
    namespace="handed",
    namespaces=("handed-b",),
    given=GIVEN.replace("restored-b", "handed-b").replace(
        "8080]\n---", "8080]\n          ports: [{containerPort: 8080}]\n---", 1
    ),
    criteria=(Criterion("web", 1, Env({"app": "web"}, "mine", holds=True), negated=False, hop=Hop.VARIABLES),),
    may_change=("Service", "Deployment", "Pod", "ConfigMap", "EndpointSlice", "Endpoints"),
    may_change_there={"handed-b": ("EndpointSlice", "Service")},
    ground=GroundRule(
        may_differ={
            Given("handed", "Service", "plain"): ("spec",),
            Given("handed", "ConfigMap", "settings"): ("data",),
            Given("handed", "Pod", "single"): ("metadata",),
            Given("handed", "Deployment", "web"): ("spec",),
            Given("handed-b", "Service", "names"): ("spec",),
            Given("handed-b", "EndpointSlice", "by-hand"): ("endpoints",),
        }
    ),
)


@pytest.fixture
def api(cluster: ClusterInfo) -> Iterator[KubeApi]:
    with KubeApi(cluster.kubeconfig) as made:
        yield made


@pytest.fixture(autouse=True)
def ground(cluster: ClusterInfo, api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_LEARNER", "taro")
    reset(EXERCISE, cluster, tmp_path)
    wait_ready(api, EXERCISE)


def handed(commands: str, cluster: ClusterInfo, folder: Path) -> str:
    ran = script.run(commands, EXERCISE.namespace, cluster, strict=True)
    assert ran.status == 0, ran.output
    return submit(EXERCISE, cluster, folder).path.read_text(encoding="utf-8")


def again(text: str, cluster: ClusterInfo, api: KubeApi, work: Path) -> None:
    reset(EXERCISE, cluster, work)
    wait_ready(api, EXERCISE)
    results = reproduce(text, EXERCISE, cluster)
    assert [item.status for item in results if item.action is Action.REFUSED] == []


def one(api: KubeApi, plural: str, name: str, namespace: str = "handed") -> Mapping[str, Any]:
    found = api.read(plural, name, namespace)
    assert found is not None
    return found


def test_where_nothing_was_done_there_is_nothing_to_hand_in(cluster: ClusterInfo, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        submit(EXERCISE, cluster, tmp_path)
    assert caught.value.code == "nothing-to-submit"


def test_the_learner_is_told_and_what_was_made_anywhere_is_there(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    commands = (
        "kubectl create service clusterip mine --tcp=80; kubectl -n handed-b create service clusterip mine --tcp=81"
    )
    text = handed(commands, cluster, tmp_path)
    assert read(text).learner == "taro"
    again(text, cluster, api, tmp_path)
    assert one(api, "services", "mine")["spec"]["ports"][0]["port"] == 80
    assert one(api, "services", "mine", "handed-b")["spec"]["ports"][0]["port"] == 81


def test_a_given_object_that_was_deleted_is_deleted(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    text = handed("kubectl -n handed-b delete endpointslice by-hand", cluster, tmp_path)
    assert [str(item) for item in read(text).deleted] == ["handed-b/EndpointSlice/by-hand"]
    again(text, cluster, api, tmp_path)
    assert api.read("endpointslices", "by-hand", "handed-b") is None


def test_given_objects_that_were_repaired_are_repaired(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    commands = """
        kubectl patch service plain -p '{"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30777}]}}'
        kubectl patch configmap settings -p '{"data": {"url": "http://web"}}'
        kubectl label pod single more=labels
        kubectl set env deployment/web COLOUR=blue
        kubectl -n handed-b delete service names
        kubectl -n handed-b create service clusterip names --tcp=80
    """
    text = handed(commands, cluster, tmp_path)
    assert "nodeName" not in text and "kube-api-access" not in text
    again(text, cluster, api, tmp_path)
    assert one(api, "services", "plain")["spec"]["ports"][0]["nodePort"] == 30777
    assert one(api, "configmaps", "settings")["data"] == {"url": "http://web"}
    assert one(api, "pods", "single")["metadata"]["labels"] == {"app": "single", "more": "labels"}
    container = one(api, "deployments", "web")["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "COLOUR", "value": "blue"}]
    assert one(api, "services", "names", "handed-b")["spec"]["clusterIP"] != "None"


def test_a_node_port_that_the_cluster_chose_is_not_handed_in(cluster: ClusterInfo, tmp_path: Path) -> None:
    assert "nodePort" not in handed("kubectl create service nodeport mine --tcp=80", cluster, tmp_path)


MADE = "kubectl create service clusterip mine --tcp=80"
ALL = "kubectl rollout restart deployment web; kubectl rollout status deployment web"
ONE = """kubectl delete --now $(kubectl get pods --selector=app=web --output=name | head -1)
    kubectl rollout status deployment web"""
ANEW = f"kubectl delete service mine; {MADE}"


@pytest.mark.parametrize(
    ("commands", "knowing"),
    [
        (MADE, []),
        (f"{MADE}; {ALL}", [Known.NOW, Known.NOW]),
        (f"{MADE}; {ONE}", [Known.NOW]),
        (f"{ALL}; {MADE}", []),
        (f"{MADE}; {ALL}; {ANEW}", [Known.BEFORE, Known.BEFORE]),
        (f"{MADE}; {ALL}; {ANEW}; {ONE}", [Known.BEFORE, Known.NOW]),
        (f"kubectl set env deployment web A=1; kubectl rollout status deployment web; {MADE}", []),
        (f"{MADE}; kubectl set env deployment web A=1; kubectl rollout status deployment web", [Known.NOW, Known.NOW]),
    ],
    ids=["none", "all", "one", "before", "made again", "made again and one", "changed before", "changed"],
)
def test_pods_know_the_learners_service_where_it_was_handed_in_as_they_did(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path, commands: str, knowing: list[Known]
) -> None:
    text = handed(commands, cluster, tmp_path)
    again(text, cluster, api, tmp_path)
    wait_ready(api, EXERCISE)
    (expect,) = (item.expect for item in EXERCISE.criteria if isinstance(item.expect, Env))
    known = expect.known(Scene(EXERCISE, observe_once(EXERCISE, cluster)))
    assert sorted(known.values()) == sorted([Known.NOT, Known.NOT, *knowing][-2:])


def test_an_address_of_a_pod_is_that_pods_address_there(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    commands = """
        address=$(kubectl get pod single --output 'jsonpath={.status.podIP}')
        kubectl apply -f - <<END
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: mine, namespace: handed-b, labels: {kubernetes.io/service-name: names}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: ["$address"]}, {addresses: [192.0.2.9]}]
---
apiVersion: v1
kind: Endpoints
metadata: {name: old}
subsets: [{addresses: [{ip: "$address"}, {ip: 192.0.2.9}], ports: [{port: 80}]}]
END
    """
    text = handed(commands, cluster, tmp_path)
    before = one(api, "pods", "single")["status"]["podIP"]
    api.delete("pods", "single", "handed", grace_seconds=0)
    reset(EXERCISE, cluster, tmp_path)
    wait_ready(api, EXERCISE)
    assert any("podIP" in pod["status"] for _ in range(2000) if (pod := one(api, "pods", "single")))
    after = one(api, "pods", "single")["status"]["podIP"]
    assert before != after
    reproduce(text, EXERCISE, cluster)
    addresses = [item["addresses"] for item in one(api, "endpointslices", "mine", "handed-b")["endpoints"]]
    assert addresses == [[after], ["192.0.2.9"]]
    assert [item["ip"] for item in one(api, "endpoints", "old")["subsets"][0]["addresses"]] == [after, "192.0.2.9"]


def test_nothing_is_done_that_the_exercise_does_not_let_change(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    strict = replace(EXERCISE, may_change=("Service",), may_change_there={}, ground=GroundRule())
    text = (
        "# deleted: handed/Deployment/web\n# deleted: handed-b/Service/names\n# deleted: default/Service/kubernetes\n"
        "# deleted: handed/Service/unknown\n# restarted: kube-system/Deployment/coredns\n"
        f"{GIVEN.replace('restored-b', 'handed-b')}"
    )
    refused = [item.status["reason"] for item in reproduce(text, strict, cluster) if item.status]
    assert refused == ["KindNotAllowed", "KindNotAllowed", "KindNotAllowed", "ForeignNamespace", "KindNotAllowed"]
    assert one(api, "deployments", "web") and one(api, "services", "names", "handed-b")
    assert one(api, "services", "kubernetes", "default")


def test_a_file_without_objects_is_told_as_elsewhere(cluster: ClusterInfo) -> None:
    with pytest.raises(ManifestError):
        reproduce("# learner: taro\n", EXERCISE, cluster)


ODD = st.recursive(
    st.none() | st.integers() | st.text("aA:.- ", max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    spec=ODD,
    labels=ODD,
    kind=st.sampled_from(["Service", "Pod", "Deployment", "EndpointSlice", "Endpoints", "ConfigMap"]),
)
def test_no_shape_of_an_object_breaks_grading(cluster: ClusterInfo, spec: Any, labels: Any, kind: str) -> None:
    name = {"Service": "plain", "Pod": "single", "Deployment": "web", "ConfigMap": "settings"}.get(kind, "by-hand")
    version = {"Deployment": "apps/v1", "EndpointSlice": "discovery.k8s.io/v1"}.get(kind, "v1")
    metadata = {"name": name, "labels": labels, "annotations": labels}
    odd = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "endpoints": spec, "subsets": spec}
    assert (
        len(
            reproduce(
                f"# deleted: handed/Secret/x\n# address: 10.0.0.1 handed/Pod/single/0\n{json.dumps(odd)}",
                EXERCISE,
                cluster,
            )
        )
        == 1
    )


def test_a_second_start_leaves_a_repair_alone_and_puts_back_what_the_learner_need_not_change(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    may_differ = {what: paths for what, paths in EXERCISE.ground.may_differ.items() if what.kind != "Deployment"}
    narrow = replace(
        EXERCISE,
        ground=GroundRule(may_differ=may_differ),
        may_change=("Service", "EndpointSlice"),
        may_change_there={"handed-b": ("EndpointSlice",)},
    )
    start(narrow, cluster, tmp_path)
    commands = """
        kubectl patch service plain -p '{"spec": {"selector": {"app": "single"}}}'
        kubectl -n handed-b delete endpointslice by-hand
        kubectl scale deployment web --replicas=1
    """
    assert script.run(commands, "handed", cluster, strict=True).status == 0
    start(narrow, cluster, tmp_path)
    assert one(api, "services", "plain")["spec"]["selector"] == {"app": "single"}
    assert api.read("endpointslices", "by-hand", "handed-b") is None
    assert one(api, "deployments", "web")["spec"]["replicas"] == 2
    other = replace(narrow, given=f"{narrow.given}---\n# another learner's\n")
    start(other, cluster, tmp_path)
    assert one(api, "services", "plain")["spec"]["selector"] == {"app": "web"}
