"""What differs from what was laid, and what only looks as if it did."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.evidence import Evidence
from grader.model.ground import (
    Change,
    Given,
    Ground,
    GroundRule,
    Laid,
    allocated,
    changes,
    content_of,
    has_effect,
)

Raw = dict[str, Any]
WEB = Given("shop", "Deployment", "web")
FRONT = Given("shop", "Service", "front")
WORKER = Given("", "Node", "worker")
FREE = GroundRule()


def deployment() -> Raw:
    containers = [
        {"name": "server", "image": "agnhost", "ports": [{"name": "http", "containerPort": 8080}]},
        {"name": "beside", "image": "pause"},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u-web", "resourceVersion": "7", "generation": 1,
            "labels": {"team": "red"}, "annotations": {"note": "given"}, "managedFields": [{"manager": "grader"}],
        },
        "spec": {
            "replicas": 2, "paused": None,
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
        },
        "status": {"replicas": 0},
    }  # fmt: skip


def service(**spec: Any) -> Raw:
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 31000}, {"port": 81, "targetPort": 8081, "nodePort": 31001}]
    own = {"type": "NodePort", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ports": ports, **spec}
    return {"kind": "Service", "metadata": {"name": "front", "uid": "u-front"}, "spec": own}


def node() -> Raw:
    labels = {"topology.kubernetes.io/zone": "a"}
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    return {
        "kind": "Node",
        "metadata": {"name": "worker", "uid": "u-node", "labels": labels},
        "spec": {"taints": taints, "podCIDR": "10.244.1.0/24"},
    }


def lay(what: Given, obj: Raw) -> Laid:
    return Laid(what, obj["metadata"]["uid"], content_of(obj), allocated(what.kind, {"spec": {"type": "NodePort"}}))


def found(what: Given, obj: Raw, change: Callable[[Raw], object], rule: GroundRule = FREE) -> list[Change]:
    before, live = lay(what, obj), copy.deepcopy(obj)
    change(live)
    return list(changes(before, live, rule))


def fields(what: Given, obj: Raw, change: Callable[[Raw], object], rule: GroundRule = FREE) -> list[str]:
    return [item.field for item in found(what, obj, change, rule)]


def template(obj: Raw) -> Raw:
    made: Raw = obj["spec"]["template"]
    return made


def containers(obj: Raw) -> list[Raw]:
    made: list[Raw] = template(obj)["spec"]["containers"]
    return made


def metadata(**values: Any) -> Callable[[Raw], object]:
    return lambda obj: obj["metadata"].update(values)


def label(**values: str) -> Callable[[Raw], object]:
    return lambda obj: obj["metadata"]["labels"].update({key.replace("__", "/"): text for key, text in values.items()})


def annotate(key: str, text: str = "x") -> Callable[[Raw], object]:
    return lambda obj: obj["metadata"].setdefault("annotations", {}).update({key: text})


def restarted(obj: Raw) -> None:
    template(obj)["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "change",
    [
        lambda obj: obj.update(status={"replicas": 2, "observedGeneration": 9}),
        metadata(managedFields=[], resourceVersion="8", generation=4, creationTimestamp="2026-01-01T00:00:00Z"),
        metadata(ownerReferences=[], finalizers=["example.com/x"]),
        annotate("kubectl.kubernetes.io/last-applied-configuration"),
        annotate("deployment.kubernetes.io/revision", "2"),
        annotate("example.com/owner"),
        annotate("plain"),
        restarted,
        label(colour="blue"),
        label(service__x="y"),
        label(**{"app.kubernetes.io__name": "x"}),
        lambda obj: obj["spec"].pop("paused"),
        metadata(uid="made-anew"),
    ],
)
def test_what_controllers_and_tools_write_a_restart_and_harmless_additions_are_no_change(
    change: Callable[[Raw], object],
) -> None:
    assert fields(WEB, deployment(), change) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda obj: obj["spec"].update(replicas=3), "spec.replicas"),
        (lambda obj: obj["spec"].update(paused=True), "spec.paused"),
        (lambda obj: obj["spec"].update(minReadySeconds=5), "spec.minReadySeconds"),
        (lambda obj: obj["metadata"]["labels"].update(team="blue"), "metadata.labels.team"),
        (lambda obj: obj["metadata"].pop("labels"), "metadata.labels.team"),
        (lambda obj: obj["metadata"]["annotations"].clear(), "metadata.annotations.note"),
        (label(**{"service.kubernetes.io__headless": ""}), "metadata.labels.service.kubernetes.io/headless"),
        (annotate("service.kubernetes.io/topology-mode"), "metadata.annotations.service.kubernetes.io/topology-mode"),
        (lambda obj: template(obj)["metadata"]["labels"].update(app="x"), "spec.template.metadata.labels.app"),
        (lambda obj: template(obj)["metadata"].update(annotations={"a": "b"}), "spec.template.metadata.annotations"),
        (lambda obj: containers(obj)[0].update(image="x"), "spec.template.spec.containers.image"),
        (
            lambda obj: containers(obj)[0]["ports"][0].update(containerPort=81),
            "spec.template.spec.containers.ports.containerPort",
        ),
        (lambda obj: containers(obj).append({"name": "more"}), "spec.template.spec.containers"),
        (lambda obj: containers(obj).pop(), "spec.template.spec.containers"),
        (metadata(deletionTimestamp="2026-01-01T00:00:00Z"), "metadata.deletionTimestamp"),
    ],
)
def test_what_its_author_decided_is_a_change_and_named_by_its_field(
    change: Callable[[Raw], object], field: str
) -> None:
    assert fields(WEB, deployment(), change) == [field]


def test_a_change_tells_what_was_there_and_what_is() -> None:
    assert found(WEB, deployment(), lambda obj: obj["spec"].update(replicas=3)) == [Change(WEB, "spec.replicas", 2, 3)]
    assert found(WEB, deployment(), lambda obj: obj["spec"].pop("replicas")) == [Change(WEB, "spec.replicas", 2, None)]
    (added,) = found(WEB, deployment(), lambda obj: obj["spec"].update(minReadySeconds=5))
    assert (added.before, added.after) == (None, 5)
    (going,) = found(WEB, deployment(), metadata(deletionTimestamp="then"))
    assert (going.before, going.after) == (None, "then")


def test_several_changes_are_told_in_the_order_of_their_paths() -> None:
    def both(obj: Raw) -> None:
        obj["spec"].update(replicas=3, minReadySeconds=1)
        obj["metadata"]["labels"]["team"] = "blue"

    assert fields(WEB, deployment(), both) == ["metadata.labels.team", "spec.minReadySeconds", "spec.replicas"]


def test_what_is_gone_is_a_change_unless_it_may_go() -> None:
    before = lay(WEB, deployment())
    assert list(changes(before, None, FREE)) == [Change(WEB)]
    assert list(changes(before, None, GroundRule(may_go=frozenset({WEB})))) == []
    assert list(changes(before, None, GroundRule(may_differ={WEB: ("spec.replicas",)}))) == []


def test_what_is_going_is_a_change_unless_it_may_go() -> None:
    going = metadata(deletionTimestamp="then")
    assert fields(WEB, deployment(), going, GroundRule(may_go=frozenset({WEB}))) == []
    assert fields(WEB, deployment(), going, GroundRule(may_differ={WEB: ("spec",)})) == []


def test_a_field_that_may_differ_is_named_by_its_path_and_covers_what_is_below_it() -> None:
    def image(obj: Raw) -> None:
        containers(obj)[0]["image"] = "x"
        obj["spec"]["replicas"] = 3

    every = ["spec.replicas", "spec.template.spec.containers.image"]
    assert fields(WEB, deployment(), image) == every
    for path, left in (
        ("spec.template.spec.containers", every[:1]),
        ("spec.template", every[:1]),
        ("spec.replicas", every[1:]),
        ("spec.replica", every),
        ("spec", []),
    ):
        assert fields(WEB, deployment(), image, GroundRule(may_differ={WEB: (path,)})) == left, path
    other = Given("shop", "Deployment", "other")
    assert fields(WEB, deployment(), image, GroundRule(may_differ={other: ("spec",)})) == every


def test_labels_of_what_may_differ_are_free() -> None:
    rule = GroundRule(may_differ={WEB: ("spec.replicas",)})
    assert fields(WEB, deployment(), lambda obj: obj["metadata"]["labels"].clear(), rule) == []


def test_what_must_stay_the_very_same_is_told_where_it_was_made_anew() -> None:
    rule = GroundRule(may_differ={FRONT: ("spec",)}, kept=frozenset({FRONT}))
    assert fields(FRONT, service(), lambda obj: obj["spec"].update(type="ClusterIP"), rule) == []
    (change,) = found(FRONT, service(), metadata(uid="another"), rule)
    assert (change.field, change.before, change.after) == ("metadata.uid", "u-front", "another")


def anew(uid: str) -> Callable[[Raw], object]:
    def change(obj: Raw) -> None:
        obj["metadata"]["uid"] = uid
        obj["spec"] |= {"clusterIP": "10.96.0.8", "clusterIPs": ["10.96.0.8"]}
        obj["spec"]["ports"][0]["nodePort"] = 32000

    return change


def test_what_the_cluster_chose_is_another_once_the_object_was_made_anew_and_only_then() -> None:
    assert fields(FRONT, service(), anew("another")) == []
    assert fields(FRONT, service(), anew("u-front")) == [
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.ports.nodePort",
    ]


def test_only_what_a_manifest_does_not_say_was_chosen_by_the_cluster() -> None:
    every = ("spec.clusterIP", "spec.clusterIPs", "spec.healthCheckNodePort", "spec.ports.nodePort")
    assert allocated("Service", {"spec": {"ports": [{"port": 80}]}}) == every
    assert allocated("Service", {}) == every
    assert allocated("Service", {"spec": {"clusterIP": ""}}) == every
    assert "spec.clusterIP" not in allocated("Service", {"spec": {"clusterIP": "None"}})
    one = {"spec": {"ports": [{"port": 80}, {"port": 81, "nodePort": 30081}]}}
    assert "spec.ports.nodePort" not in allocated("Service", one)
    assert allocated("Deployment", {"spec": {}}) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda obj: obj["spec"].update(unschedulable=True), "spec.unschedulable"),
        (lambda obj: obj["spec"]["taints"].append({"key": "a", "effect": "NoExecute"}), "spec.taints"),
        (lambda obj: obj["spec"].pop("taints"), "spec.taints"),
        (label(**{"topology.kubernetes.io__zone": "b"}), "metadata.labels.topology.kubernetes.io/zone"),
        (
            lambda obj: obj["metadata"]["labels"].update(
                {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
            ),
            "metadata.labels.node.kubernetes.io/exclude-from-external-load-balancers",
        ),
        (label(plain="x"), None),
        (lambda obj: obj["spec"].update(podCIDR="10.244.9.0/24", providerID="x"), None),
        (lambda obj: obj["spec"]["taints"].append({"key": "node.kubernetes.io/unschedulable"}), None),
        (annotate("node.alpha.kubernetes.io/ttl", "15"), None),
    ],
)
def test_of_a_node_a_cordon_a_taint_and_labels_that_are_read_count(
    change: Callable[[Raw], object], field: str | None
) -> None:
    assert fields(WORKER, node(), change) == ([field] if field else [])


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("plain", False),
        ("example.com/x", False),
        ("kubernetes.io/x", True),
        ("service.kubernetes.io/service-proxy-name", True),
        ("endpointslice.kubernetes.io/managed-by", True),
        ("cloud.k8s.io/x", True),
        ("notkubernetes.io/x", False),
        ("metallb.io/loadBalancerIPs", True),
        ("metallb.io/ip-allocated-from-pool", False),
        ("app.kubernetes.io/name", False),
        ("kubectl.kubernetes.io/restartedAt", False),
        ("node.alpha.kubernetes.io/ttl", False),
    ],
)
def test_a_key_has_an_effect_where_some_component_reads_its_domain(key: str, effect: bool) -> None:
    assert has_effect(key) is effect


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3),
    max_leaves=8,
)
MAPPING = st.dictionaries(st.text(min_size=1, max_size=6), JSON, max_size=4)
TEXTS = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=4), max_size=3)
OBJECTS = st.builds(
    lambda spec, data, labels, notes: {
        "kind": "ConfigMap",
        "metadata": {"name": "x", "uid": "u", "labels": labels, "annotations": notes},
        "spec": spec,
        "data": data,
    },
    st.dictionaries(st.sampled_from(["replicas", "ports", "selector"]), JSON, max_size=3),
    MAPPING,
    TEXTS,
    TEXTS,
)


@given(OBJECTS)
def test_nothing_differs_from_itself_however_it_was_written_down(obj: Raw) -> None:
    what = Given("shop", "ConfigMap", "x")
    before = Laid(what, "u", content_of(obj))
    kept = copy.deepcopy(obj)
    assert list(changes(before, obj, FREE)) == []
    assert obj == kept  # comparing changes nothing
    again = json.loads(json.dumps(obj))
    assert list(changes(before, again, FREE)) == []


@given(OBJECTS, OBJECTS)
def test_whatever_differs_in_content_is_found(one: Raw, other: Raw) -> None:
    before = Laid(Given("shop", "ConfigMap", "x"), "u", content_of(one))
    told = [item for item in changes(before, other, FREE) if not item.field.startswith("metadata")]
    same = {key: value for key, value in content_of(one).items() if key != "metadata"} == {
        key: value for key, value in content_of(other).items() if key != "metadata"
    }
    assert bool(told) is not same


NAMES = st.builds(Given, st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
GROUNDS = st.builds(
    Ground,
    st.lists(
        st.builds(
            Laid, NAMES, st.text(max_size=4), MAPPING, st.lists(st.sampled_from(["a.b", "c"]), max_size=2).map(tuple)
        ),
        max_size=2,
    ).map(tuple),
    st.text(max_size=4),
    st.lists(st.builds(Change, NAMES, st.text(max_size=4), JSON, JSON), max_size=2).map(tuple),
)


@given(GROUNDS)
def test_the_ground_in_evidence_is_read_back_equal(ground: Ground) -> None:
    evidence = Evidence("shop", "shop", "kind", "2026-01-01T00:00:00Z", ground=ground)
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


def test_evidence_of_before_there_was_a_record_has_no_ground() -> None:
    written = Evidence("shop", "shop", "kind", "2026-01-01T00:00:00Z").to_json()
    del written["ground"]
    assert Evidence.from_json(written).ground is None


@pytest.mark.parametrize("text", ["{}", '{"laid": [{}], "given": "", "told": []}', "[]"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises((KeyError, TypeError)):
        Ground.from_json(json.loads(text))
