"""A Pod that bears a probe's name is a probe of ours only where nothing of it would look from elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from grader.cluster import probes
from grader.cluster.info import ClusterInfo, Provider
from grader.errors import ClusterUnreachable
from grader.kube.client import ApiRefused, KubeApi
from grader.model.vantage import PROBE_POD
from grader.workflow.ground.instruments import (
    ensure_node_probes,
    ensure_probe,
    exercises_probe,
    is_ours,
    mend,
    replace_strangers,
)
from tests.judge.world import exercise

Raw = dict[str, Any]
SHOP = exercise()
LOCAL = ClusterInfo("a", Provider.EMBEDDED, Path("kubeconfig"), "v1.36.3")
SHARED = ClusterInfo("a", Provider.CONTEXT, Path("kubeconfig"), "v1.36.3")


def live(wanted: Mapping[str, Any]) -> Raw:
    """A probe as an API server keeps it."""
    made = copy.deepcopy(dict(wanted))
    made["spec"] |= {"nodeName": "worker", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "volumes": []}
    made["spec"]["tolerations"] = [{"operator": "Exists"}, {"key": "node.kubernetes.io/not-ready"}]
    made["spec"]["containers"][0] |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/x"}
    made["status"] = {"phase": "Running"}
    return made


def container(**values: Any) -> Callable[[Raw], object]:
    return lambda pod: pod["spec"]["containers"][0].update(values)


def spec(**values: Any) -> Callable[[Raw], object]:
    return lambda pod: pod["spec"].update(values)


IMAGES = probes.PROBE_IMAGE.rpartition(":")[0]
WANTED = probes.probe("worker")


@pytest.mark.parametrize(
    "change",
    [
        lambda pod: None,
        container(image=f"{IMAGES}:2.99.0"),
        spec(tolerations=[]),
        lambda pod: pod["metadata"]["labels"].update(more="x"),
        spec(initContainers=[], hostNetwork=False),
    ],
)
def test_a_probe_with_what_a_server_adds_or_another_tag_is_ours(change: Callable[[Raw], object]) -> None:
    pod = live(WANTED)
    change(pod)
    assert is_ours(pod, WANTED)


@pytest.mark.parametrize(
    "change",
    [
        container(image="example.com/agnhost:2.63.0"),
        container(image=""),
        container(args=["netexec", "--http-port=81"]),
        container(command=None, ports=[]),
        lambda pod: pod["spec"]["containers"].append({"name": "beside", "image": "pause"}),
        lambda pod: pod["spec"].pop("containers"),
        lambda pod: pod.pop("spec"),
        lambda pod: pod["metadata"]["labels"].clear(),
        lambda pod: pod["metadata"].pop("labels"),
        container(command=["sh", "-c", "exec something-else"]),
        container(lifecycle={"postStart": {"exec": {"command": ["true"]}}}),
        container(volumeMounts=[{"name": "x", "mountPath": "/agnhost"}]),
        spec(dnsPolicy="Default"),
        spec(ephemeralContainers=[{"name": "x"}]),
        spec(hostNetwork=True),
        spec(initContainers=[{"name": "x"}]),
        spec(hostAliases=[{"ip": "192.0.2.1"}]),
        spec(dnsConfig={"nameservers": ["192.0.2.1"]}),
        spec(nodeName="worker2"),
        spec(enableServiceLinks=True),
    ],
)
def test_one_that_looks_with_another_image_from_another_place_or_through_another_is_not(
    change: Callable[[Raw], object],
) -> None:
    pod = live(WANTED)
    change(pod)
    assert not is_ours(pod, WANTED)


def test_the_exercises_own_probe_may_be_on_any_node() -> None:
    wanted = exercises_probe("shop")
    pod = live(wanted)
    assert is_ours(pod, wanted)
    assert is_ours(pod | {"spec": pod["spec"] | {"nodeName": "worker2"}}, wanted)
    assert wanted["metadata"] == {"name": PROBE_POD, "namespace": "shop"}


class Api:
    """An API server's Pods, and what was done to them."""

    def __init__(self, *pods: Raw, refusing: str = "", hidden: bool = False) -> None:
        self.pods = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in pods}
        self.done: list[tuple[str, str]] = []
        self.refusing, self.hidden = refusing, hidden

    def read(self, plural: str, name: str, namespace: str) -> Raw | None:
        return self.pods.get((namespace, name))

    def list(self, plural: str, namespace: str = "") -> list[Raw]:
        if self.hidden:
            raise ApiRefused({"reason": "Forbidden"}, 403)
        if plural == "nodes":
            return [{"metadata": {"name": name}} for name in ("worker", "worker2")]
        return [item for (home, _), item in self.pods.items() if home == namespace]

    def create(self, obj: Raw) -> None:
        if self.refusing:
            raise ApiRefused({"reason": self.refusing}, 409)
        self.done.append(("create", obj["metadata"]["name"]))

    def delete(self, plural: str, name: str, namespace: str, *, grace_seconds: int) -> None:
        self.done.append(("delete", name))

    @property
    def api(self) -> KubeApi:
        return cast(KubeApi, self)


def own(**status: Any) -> Raw:
    pod = live(exercises_probe("shop"))
    pod["status"] |= status
    return pod


def test_a_probe_that_runs_is_left_alone_and_a_missing_one_is_made() -> None:
    there = Api(own())
    assert not ensure_probe(there.api, "shop")
    assert there.done == []
    none = Api()
    assert ensure_probe(none.api, "shop")
    assert none.done == [("create", PROBE_POD)]


def going(pod: Raw) -> None:
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("change", [going, lambda pod: pod["status"].update(phase="Failed"), spec(hostNetwork=True)])
def test_one_that_is_going_finished_or_somebody_elses_is_made_anew(change: Callable[[Raw], object]) -> None:
    pod = own()
    change(pod)
    api = Api(pod)
    assert ensure_probe(api.api, "shop")
    assert api.done == [("delete", PROBE_POD), ("create", PROBE_POD)]


def test_one_that_came_in_the_meantime_is_no_error_and_any_other_refusal_is() -> None:
    assert not ensure_probe(Api(refusing="AlreadyExists").api, "shop")
    pod = own(phase="Failed")
    assert ensure_probe(Api(pod, refusing="AlreadyExists").api, "shop")
    with pytest.raises(ApiRefused):
        ensure_probe(Api(refusing="Forbidden").api, "shop")


def test_each_node_has_its_own_probe() -> None:
    api = Api(live(probes.probe("worker")))
    assert ensure_node_probes(api.api)
    assert api.done == [("create", probes.probe_name("worker2"))]


@pytest.mark.parametrize(
    ("cluster", "blind", "made"),
    [
        (LOCAL, ["same-namespace"], [PROBE_POD]),
        (LOCAL, ["other-namespace"], ["probe-worker", "probe-worker2"]),
        (LOCAL, ["node/worker2"], ["probe-worker", "probe-worker2"]),
        (LOCAL, ["learner-host", "outside-client"], []),
        (SHARED, ["same-namespace", "node/worker2"], [PROBE_POD]),
        (SHARED, ["node/worker2"], []),
    ],
)
def test_what_a_blind_vantage_looks_from_is_mended(cluster: ClusterInfo, blind: list[str], made: list[str]) -> None:
    api = Api()
    assert mend(api.api, cluster, SHOP, blind) is bool(made)
    assert [name for _, name in api.done] == made


def test_mending_never_raises_for_what_the_cluster_is_like() -> None:
    assert not mend(Api(hidden=True).api, LOCAL, SHOP, ["node/worker"])

    class Gone(Api):
        def read(self, plural: str, name: str, namespace: str) -> Raw | None:
            raise ClusterUnreachable("api-timeout", server="s")

    assert not mend(Gone().api, LOCAL, SHOP, ["same-namespace"])


def test_a_stranger_that_bears_a_probes_name_is_replaced() -> None:
    ours = [live(probes.probe(name)) | {"spec": probes.probe(name)["spec"]} for name in ("worker", "worker2")]
    quiet = Api(own(), *ours)
    assert not replace_strangers(quiet.api, LOCAL, SHOP)
    stranger = own()
    stranger["spec"]["hostNetwork"] = True
    api = Api(stranger, *ours)
    assert replace_strangers(api.api, LOCAL, SHOP)
    assert api.done == [("delete", PROBE_POD), ("create", PROBE_POD)]
    ours[1] = copy.deepcopy(ours[1])
    ours[1]["spec"]["containers"][0]["image"] = "example.com/other:1"
    api = Api(own(), *ours)
    assert replace_strangers(api.api, LOCAL, SHOP)
    assert api.done == [("delete", "probe-worker2"), ("create", "probe-worker2")]
    assert not replace_strangers(Api(own(), *ours, hidden=True).api, LOCAL, SHOP)
