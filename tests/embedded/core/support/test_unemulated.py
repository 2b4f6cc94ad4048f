"""Who writes a field that has no effect here is told: with the answer, and by an Event."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.api.http.messages import Response
from grader.embedded.core.api.write import writes
from grader.embedded.core.events import Recorder
from grader.embedded.core.support import telling
from grader.embedded.core.support.telling import PREFIX
from grader.embedded.core.support.unemulated import unemulated
from tests.embedded.core.api.api_client import Api

PODS = "/api/v1/namespaces/default/pods"


def pod(name: str = "p", **fields: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "web", "image": "nginx:1.29"}], **fields}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def contained(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "web", "image": "nginx:1.29", **fields}])


@pytest.mark.parametrize(
    ("obj", "paths"),
    [
        (pod(), ()),
        (pod(hostPID=True, hostUsers=False), ("spec.hostPID", "spec.hostUsers")),
        (pod(hostPID=False, hostUsers=True), ()),
        (
            contained(livenessProbe={"terminationGracePeriodSeconds": 0}),
            ("spec.containers[0].livenessProbe.terminationGracePeriodSeconds",),
        ),
        (contained(securityContext={"allowPrivilegeEscalation": False}), ()),
        (pod(volumes=[{"name": "a", "nfs": {}}]), ("spec.volumes[0].nfs",)),
        (pod(os={"name": "linux"}), ()),
        (pod(os={"name": "windows"}), ("spec.os",)),
        (
            {"kind": "Namespace", "metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
            ("metadata.labels[pod-security.kubernetes.io/enforce]",),
        ),
        ({"kind": "Namespace", "metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}, ()),
        ({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}, ()),
    ],
)
def test_what_would_matter_in_a_real_cluster_and_does_not_here_is_found(obj: Any, paths: tuple[str, ...]) -> None:
    assert unemulated(obj) == paths


@pytest.mark.parametrize(
    "kind", ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"]
)
def test_templates_are_looked_into(kind: str) -> None:
    template = {"metadata": {}, "spec": pod(hostPID=True)["spec"]}
    assert unemulated({"kind": kind, "spec": {"template": template}}) == ("spec.template.spec.hostPID",)


def test_the_template_of_a_template_is_looked_into() -> None:
    template = {"spec": {"template": {"spec": pod(hostPID=True)["spec"]}}}
    found = unemulated({"kind": "CronJob", "spec": {"jobTemplate": template}})
    assert found == ("spec.jobTemplate.spec.template.spec.hostPID",)


def warnings(api: Api, method: str, path: str, body: Any, **options: Any) -> list[str]:
    answer = api.ask(method, path, body, **options)
    assert isinstance(answer, Response)
    assert answer.status in (200, 201), answer.body
    return [value for key, value in answer.headers if key == "warning"]


def told(api: Api) -> list[str]:
    return [event["message"] for event in api.store.list("events", "default") if event["reason"] == "NotEmulated"]


def test_each_write_is_warned_of_and_each_field_gets_one_event() -> None:
    api = Api()
    text = f"{PREFIX}spec.hostPID is stored, but has no effect here"
    assert warnings(api, "POST", PODS, pod(hostPID=True)) == [f'299 - "{text}"']
    assert told(api) == [text]
    labelled = {"metadata": {"labels": {"app": "web"}}}
    kind = "application/merge-patch+json"
    assert warnings(api, "PATCH", f"{PODS}/p", labelled, kind=kind) == [f'299 - "{text}"']
    assert told(api) == [text]


def test_a_dry_run_warns_and_leaves_nothing() -> None:
    api = Api()
    assert len(warnings(api, "POST", PODS, pod(hostPID=True), query=[("dryRun", "All")])) == 1
    assert told(api) == []


def test_what_is_emulated_goes_without_a_word() -> None:
    api = Api()
    assert warnings(api, "POST", PODS, pod()) == []
    assert told(api) == []


def test_two_recorders_at_the_same_moment_record_both_events() -> None:
    api = Api()
    made = api.create(PODS, pod(hostPID=True))
    Recorder(api.store).event(made, "Normal", "Scheduled", "at the same moment", "scheduler")
    assert sorted(event["reason"] for event in api.store.list("events", "default")) == ["NotEmulated", "Scheduled"]


def test_a_write_looks_for_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    api, looked = Api(), list[str]()

    def counted(obj: Any) -> tuple[str, ...]:
        looked.append(obj["kind"])
        return unemulated(obj)

    for module in (writes, telling):
        monkeypatch.setattr(module, "unemulated", counted)
    api.create(PODS, pod())
    assert looked == ["Pod"]
    api.patch(f"{PODS}/p", {"metadata": {"labels": {"app": "web"}}})
    assert looked == ["Pod"] * 2
