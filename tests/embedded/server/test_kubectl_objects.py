from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

MANIFESTS = Path(__file__).with_name("manifests")
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
BACKEND = (MANIFESTS / "backend.yaml").read_text()
CLIENT = (MANIFESTS / "client.yaml").read_text()
SERVICE = (MANIFESTS / "service.yaml").read_text()


def test_three_nodes_are_ready(kubectl: Kubectl) -> None:
    rows = [line.split() for line in kubectl("get", "nodes").splitlines()]

    assert rows[0] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [row[:3] for row in rows[1:]] == [
        ["services-course-control-plane", "Ready", "control-plane"],
        ["services-course-worker", "Ready", "<none>"],
        ["services-course-worker2", "Ready", "<none>"],
    ]
    assert "INTERNAL-IP" in kubectl("get", "nodes", "-o", "wide")


def test_client_side_apply_creates_then_changes_then_leaves_alone(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=BACKEND) == "deployment.apps/backend created\n"
    assert kubectl("apply", "-f", "-", stdin=BACKEND) == "deployment.apps/backend unchanged\n"
    changed = BACKEND.replace("replicas: 3", "replicas: 2")
    assert kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/backend configured\n"
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    assert kubectl("get", "deployment", "backend", "-o", "jsonpath={.status.readyReplicas}") == "2"


def test_server_side_apply_tells_conflicts(kubectl: Kubectl) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    assert kubectl(*apply, "--field-manager=one", stdin=SERVICE) == "service/backend serverside-applied\n"
    other = SERVICE.replace("targetPort: http", "targetPort: 8080")
    refused = kubectl.fails(*apply, "--field-manager=two", stdin=other)
    assert 'conflict with "one"' in refused
    kubectl(*apply, "--field-manager=two", "--force-conflicts", stdin=other)
    assert kubectl("get", "svc", "backend", "-o", "jsonpath={.spec.ports[0].targetPort}") == "8080"


def test_an_unknown_field_is_refused_by_name(kubectl: Kubectl) -> None:
    refused = kubectl.fails("apply", "-f", "-", stdin=SERVICE.replace("selector:", "selectr:"))

    assert 'unknown field "spec.selectr"' in refused


def test_an_invalid_service_is_refused_with_its_field(kubectl: Kubectl) -> None:
    refused = kubectl.fails("apply", "-f", "-", stdin=SERVICE.replace("port: 80,", "port: 80, nodePort: 30001,"))

    assert "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" in refused


@pytest.mark.parametrize(
    ("arguments", "created"),
    [
        (("service", "clusterip", "made", "--tcp=80:8080"), "service/made"),
        (("service", "nodeport", "made", "--tcp=80:8080"), "service/made"),
        (("service", "loadbalancer", "made", "--tcp=80:8080"), "service/made"),
        (("service", "externalname", "made", "--external-name=example.com"), "service/made"),
        (("deployment", "made", f"--image={AGNHOST}", "--replicas=2"), "deployment.apps/made"),
        (("configmap", "made", "--from-literal=a=1"), "configmap/made"),
        (("serviceaccount", "made"), "serviceaccount/made"),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_create_sends_objects_in_protobuf(kubectl: Kubectl, arguments: tuple[str, ...], created: str) -> None:
    assert kubectl("create", *arguments) == f"{created} created\n"
    assert kubectl("get", created, "-o", "name") == f"{created}\n"


def test_get_prints_tables_yaml_json_and_columns(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}")
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")

    services = kubectl("get", "svc").splitlines()
    assert services[0].split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert services[1].split()[4] == "80/TCP"
    assert "SELECTOR" in kubectl("get", "svc", "-o", "wide")
    pods = kubectl("get", "pods", "-o", "wide").splitlines()
    assert pods[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [line.split()[1:3] for line in pods[1:]] == [["1/1", "Running"]] * 3
    assert yaml.safe_load(kubectl("get", "svc", "backend", "-o", "yaml"))["spec"]["type"] == "ClusterIP"
    listed = json.loads(kubectl("get", "pods", "-l", "app=backend", "-o", "json"))
    assert len(listed["items"]) == 3
    named = kubectl("get", "pods", "-o", "custom-columns=NAME:.metadata.name", "--no-headers").split()
    assert sorted(named) == sorted(item["metadata"]["name"] for item in listed["items"])
    assert "backend" in kubectl("get", "all")
    slices = kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=backend").splitlines()
    assert slices[0].split() == ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"]
    assert slices[1].split()[1:3] == ["IPv4", "8080"]
    assert kubectl("get", "pods", "--field-selector=status.phase=Pending") == ""
    assert "LABELS" in kubectl("get", "pods", "--show-labels")


def test_endpoints_come_with_the_deprecation_warning(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    done = kubectl.run("get", "endpoints", "backend")

    assert "v1 Endpoints is deprecated in v1.33+" in done.stderr
    assert "<none>" in done.stdout


def test_get_watch_shows_changes_as_they_come(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    watching = kubectl.start("get", "svc", "-w", "-o", "name")
    assert watching.stdout is not None
    try:
        assert watching.stdout.readline() == "service/backend\n"
        kubectl("create", "service", "clusterip", "later", "--tcp=80")
        assert watching.stdout.readline() == "service/later\n"
    finally:
        watching.terminate()
        watching.communicate()


def test_describe_shows_what_a_learner_looks_for(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}")
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")

    service = kubectl("describe", "svc", "backend")
    assert "app=backend" in service
    assert service.count(":8080") == 3
    assert "Scheduled" in kubectl("describe", "pods")
    assert "ScalingReplicaSet" in kubectl("describe", "deployment", "backend")
    assert "Addresses:" in kubectl("describe", "endpointslices")
    assert "control-plane" in kubectl("describe", "nodes")
    assert "Active" in kubectl("describe", "namespace", kubectl.namespace)


def test_explain_knows_the_fields(kubectl: Kubectl) -> None:
    assert "FIELD: selector" in kubectl("explain", "service.spec.selector")
    assert "sessionAffinity" in kubectl("explain", "service.spec")
    assert "addressType" in kubectl("explain", "endpointslice")
    assert "strategy" in kubectl("explain", "deployment.spec", "--recursive")


def test_edit_changes_the_live_object(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    edited = kubectl.run("edit", "svc", "backend", env={"KUBE_EDITOR": "sed -i.bak 's/port: 80/port: 81/'"})

    assert edited.returncode == 0, edited.stderr
    assert kubectl("get", "svc", "backend", "-o", "jsonpath={.spec.ports[0].port}") == "81"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"spec":{"ports":[{"port":80,"targetPort":9}]}}'),
        ("merge", '{"spec":{"ports":[{"port":80,"targetPort":9}]}}'),
        ("json", '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9}]'),
    ],
)
def test_patch_in_its_three_forms(kubectl: Kubectl, kind: str, patch: str) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    kubectl("patch", "svc", "backend", "--type", kind, "-p", patch)

    assert kubectl("get", "svc", "backend", "-o", "jsonpath={.spec.ports[*].targetPort}") == "9"


def test_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    kubectl("label", "svc", "backend", "tier=web")
    kubectl("annotate", "svc", "backend", "note=hello")

    assert kubectl("get", "svc", "-l", "tier=web", "-o", "name") == "service/backend\n"
    kubectl("label", "svc", "backend", "tier-")
    assert kubectl("get", "svc", "-l", "tier=web", "-o", "name") == ""


def test_scale_and_wait(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=BACKEND)
    kubectl("wait", "--for=condition=Available", "deployment/backend", "--timeout=20s")
    kubectl("scale", "deployment", "backend", "--replicas=1")
    kubectl("wait", "--for=jsonpath={.status.replicas}=1", "deployment/backend", "--timeout=20s")
    kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=backend", "--timeout=20s")


def test_rollout_restart_undo_and_history(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=BACKEND)
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    kubectl("rollout", "restart", "deployment/backend")
    kubectl("rollout", "status", "deployment/backend", "--timeout=30s")
    assert kubectl("rollout", "history", "deployment/backend").split()[-4:] == ["1", "<none>", "2", "<none>"]
    kubectl("rollout", "undo", "deployment/backend")
    kubectl("rollout", "status", "deployment/backend", "--timeout=30s")
    assert "3" in kubectl("rollout", "history", "deployment/backend")


def test_set_image_of_something_that_does_not_exist_is_explained(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "broken", "--image=registry.example/no/such:1")
    deadline = time.monotonic() + 20
    while "Pull" not in kubectl("get", "pods"):
        assert time.monotonic() < deadline
    assert "Failed to pull image" in kubectl("events")


def test_expose_makes_a_service_of_a_deployment(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=BACKEND)
    kubectl("expose", "deployment", "backend", "--name=exposed", "--port=80", "--target-port=8080", "--type=NodePort")

    service = json.loads(kubectl("get", "svc", "exposed", "-o", "json"))
    assert service["spec"]["selector"] == {"app": "backend"}
    assert 30000 <= service["spec"]["ports"][0]["nodePort"] <= 32767


def test_delete_waits_until_everything_is_gone(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}---\n{CLIENT}")
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=20s")
    kubectl("delete", "pod", "client", "--grace-period=1")
    assert "NotFound" in kubectl.fails("get", "pod", "client")
    kubectl("delete", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}")
    kubectl("wait", "--for=delete", "pod", "-l", "app=backend", "--timeout=40s")


def test_a_namespace_goes_with_its_contents(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "doomed")
    kubectl("apply", "-n", "doomed", "-f", "-", stdin=SERVICE)
    kubectl("delete", "namespace", "doomed", "--timeout=30s")

    assert "NotFound" in kubectl.fails("get", "namespace", "doomed")


def test_api_resources_and_versions(kubectl: Kubectl) -> None:
    names = {line.split()[0] for line in kubectl("api-resources").splitlines()[1:]}

    assert {"services", "endpointslices", "deployments", "pods", "nodes", "namespaces", "configmaps"} <= names
    assert "discovery.k8s.io/v1" in kubectl("api-versions").split()
    assert "Server Version: v1.36" in kubectl("version")


def test_events_tell_a_pods_life(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=CLIENT)
    kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=20s")

    reasons = kubectl("events", "--for", "pod/client")
    assert all(word in reasons for word in ("Scheduled", "Pulled", "Created", "Started"))
    assert "Started" in kubectl("get", "events", "--sort-by=.metadata.creationTimestamp")


def test_diff_shows_a_change_and_makes_none(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SERVICE)
    same = kubectl.run("diff", "-f", "-", stdin=SERVICE)
    assert same.returncode == 0, same.stdout + same.stderr
    other = kubectl.run("diff", "-f", "-", stdin=SERVICE.replace("port: 80", "port: 88"))

    assert other.returncode == 1, other.stderr
    assert "port: 88" in other.stdout
    assert kubectl("get", "svc", "backend", "-o", "jsonpath={.spec.ports[0].port}") == "80"


def test_top_is_refused_clearly(kubectl: Kubectl) -> None:
    assert "Metrics API not available" in kubectl.fails("top", "pods")


def test_the_administrator_may_do_everything(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "services") == "yes\n"
    assert "*.*" in kubectl("auth", "can-i", "--list")


def test_dry_run_stores_nothing(kubectl: Kubectl) -> None:
    kubectl("apply", "--dry-run=server", "-f", "-", stdin=SERVICE)

    assert "NotFound" in kubectl.fails("get", "svc", "backend")


def test_replace_and_create_twice(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=SERVICE)
    assert "AlreadyExists" in kubectl.fails("create", "-f", "-", stdin=SERVICE)
    kubectl("replace", "-f", "-", stdin=SERVICE.replace("port: 80", "port: 82"))
    kubectl("replace", "--force", "-f", "-", stdin=SERVICE)


def test_without_the_token_nobody_comes_in(kubectl: Kubectl) -> None:
    refused = kubectl.fails("get", "pods", "--token=wrong")

    assert "Unauthorized" in refused or "provide credentials" in refused or "must be logged in" in refused


def test_apply_prunes_what_is_no_longer_configured(kubectl: Kubectl) -> None:
    def configuration(name: str) -> str:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{set: a}}}}\n"

    kubectl("apply", "-f", "-", stdin=f"{configuration('one')}---\n{configuration('two')}")
    done = kubectl("apply", "-f", "-", "--prune", "-l", "set=a", stdin=configuration("one"))
    assert done.splitlines() == ["configmap/one unchanged", "configmap/two pruned"]
