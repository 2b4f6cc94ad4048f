import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.api.http.messages import Response
from grader.embedded.core.api.http.status import ApiError
from grader.embedded.core.api.kinds.service_alloc import Ports
from grader.embedded.core.api.schema.types import definition_of
from grader.embedded.core.api.write.decode import clean
from tests.embedded.core.api.api_client import DEPLOYMENTS, PODS, SERVICES, Api, deployment, pod, service

SERVICE = definition_of("", "v1", "Service")


def test_every_service_gets_an_address_and_a_port_of_its_own(api: Api) -> None:
    made = [api.create(SERVICES, service(f"s{number}", type="NodePort"))["spec"] for number in range(50)]
    addresses = {spec["clusterIP"] for spec in made}
    ports = {spec["ports"][0]["nodePort"] for spec in made}
    assert len(addresses) == len(ports) == 50
    assert all(ipaddress.ip_address(ip) in ipaddress.ip_network("10.96.0.0/16") for ip in addresses)
    # the lower bands are left to those who choose (ipallocator.go, portallocator/allocator.go calculateRangeOffset)
    assert all(ipaddress.ip_address(ip) > ipaddress.ip_address("10.96.1.0") for ip in addresses)
    assert all(30086 <= port <= 32767 for port in ports)


def test_the_lower_band_of_node_ports_is_used_when_the_upper_one_is_full(api: Api) -> None:
    ports = Ports(api.store, set(range(30085, 32768)), dry_run=False)
    assert sorted(ports.next() for _ in range(85)) == list(range(30000, 30085))
    with pytest.raises(ApiError, match="range is full"):
        ports.next()


def test_a_deleted_services_address_and_port_are_free_again(api: Api) -> None:
    fixed = service(type="NodePort", clusterIP="10.96.0.9", ports=[{"port": 80, "nodePort": 30080}])
    api.create(SERVICES, fixed)
    assert api.call("POST", SERVICES, {**fixed, "metadata": {"name": "two"}})[0] == 422
    api.call("DELETE", f"{SERVICES}/web")
    api.create(SERVICES, {**fixed, "metadata": {"name": "two"}})


def test_a_dry_run_shows_the_result_and_stores_nothing(api: Api) -> None:
    made = api.create(SERVICES, service(), query=[("dryRun", "All")])
    assert made["spec"]["clusterIP"]
    assert made["metadata"]["uid"]
    assert api.store.get("services", "default", "web") is None


def test_unknown_fields_are_refused_warned_of_or_ignored(api: Api) -> None:
    wrong = service(selectr={})
    assert api.call("POST", SERVICES, wrong, query=[("fieldValidation", "Strict")])[0] == 400
    for name, validation, warned in (("a", "Warn", True), ("b", "", True), ("c", "Ignore", False)):
        named = {**wrong, "metadata": {"name": name}}
        answer = api.ask("POST", SERVICES, named, query=[("fieldValidation", validation)])
        assert isinstance(answer, Response) and answer.status == 201
        assert (("warning", '299 - "unknown field \\"spec.selectr\\""') in answer.headers) == warned


def test_a_field_written_twice_is_refused(api: Api) -> None:
    text = json.dumps(service()).replace('"ports"', '"type": "NodePort", "type": "ClusterIP", "ports"')
    code, body = api.call("POST", SERVICES, text.encode(), query=[("fieldValidation", "Strict")])
    assert code == 400
    assert 'duplicate field "spec.type"' in body["message"]


def test_yaml_bodies_are_read(api: Api) -> None:
    text = b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 80}]\n"
    assert api.create(SERVICES, text, kind="application/yaml")["spec"]["type"] == "ClusterIP"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_bodies_that_are_no_object_are_refused(api: Api, body: bytes) -> None:
    assert api.call("POST", SERVICES, body)[0] == 400


def test_other_media_types_are_refused(api: Api) -> None:
    assert api.call("POST", SERVICES, b"x", kind="text/plain")[0] == 415
    assert api.call("PATCH", f"{SERVICES}/web", b"x")[0] == 415


def test_a_missing_namespace_is_told(api: Api) -> None:
    code, body = api.call("POST", "/api/v1/namespaces/nowhere/services", service())
    assert (code, body["message"]) == (404, 'namespaces "nowhere" not found')


def test_names_are_generated(api: Api) -> None:
    obj = {**pod(), "metadata": {"generateName": "p-"}}
    first, second = (api.create(PODS, obj)["metadata"]["name"] for _ in range(2))
    assert first != second and first.startswith("p-") and len(first) == 7


def test_a_pod_gets_what_admission_gives_it(api: Api) -> None:
    spec = api.create(PODS, pod())["spec"]
    assert spec["serviceAccountName"] == "default"
    assert spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["path"] == "token"
    assert [toleration["effect"] for toleration in spec["tolerations"]] == ["NoExecute", "NoExecute"]


def test_a_replaced_object_keeps_its_identity(api: Api) -> None:
    made = api.create(DEPLOYMENTS, deployment())
    code, body = api.call("PUT", f"{DEPLOYMENTS}/d", deployment(replicas=4))
    assert code == 200
    assert body["metadata"]["uid"] == made["metadata"]["uid"]
    assert body["metadata"]["generation"] == 2


def test_the_status_changes_by_its_subresource_only(api: Api) -> None:
    api.create(DEPLOYMENTS, deployment())
    change = {"spec": {"replicas": 9}, "status": {"replicas": 7}}
    api.patch(f"{DEPLOYMENTS}/d", change, "merge-patch+json")
    assert api.get(f"{DEPLOYMENTS}/d")["status"] == {}
    api.patch(f"{DEPLOYMENTS}/d/status", {"spec": {"replicas": 1}, "status": {"replicas": 7}}, "merge-patch+json")
    now = api.get(f"{DEPLOYMENTS}/d")
    assert (now["spec"]["replicas"], now["status"]["replicas"]) == (9, 7)


def test_a_change_that_changes_nothing_keeps_the_version(api: Api) -> None:
    made = api.create(SERVICES, service())
    again = api.patch(f"{SERVICES}/web", {"spec": {"type": "ClusterIP"}})
    assert again["metadata"] == made["metadata"]


def test_a_pod_is_bound_to_a_node_once(api: Api) -> None:
    api.create(PODS, pod())
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"kind": "Node", "name": "n"},
    }
    assert api.call("POST", f"{PODS}/p/binding", binding)[0] == 201
    held = api.store.get("pods", "default", "p")
    assert held is not None
    assert (held["spec"]["nodeName"], held["metadata"]["generation"]) == ("n", 1)
    assert api.call("POST", f"{PODS}/p/binding", binding)[0] == 409


def test_the_one_user_may_do_everything(api: Api) -> None:
    asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {}}
    made = api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)
    assert made["status"] == {"allowed": True}


def test_connections_to_pods_know_their_container(api: Api) -> None:
    api.create(PODS, pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]))
    api.create(PODS, pod("one"))
    assert api.connect(f"{PODS}/one/exec", "POST", [("command", "ls")]).container == "c"
    assert api.connect(f"{PODS}/p/log", query=[("container", "b")]).container == "b"
    assert api.call("GET", f"{PODS}/p/log")[0] == 400
    assert api.call("GET", f"{PODS}/p/log", query=[("container", "z")])[0] == 400
    assert api.call("GET", f"{PODS}/none/log")[0] == 404


def test_a_proxy_path_is_taken_apart(api: Api) -> None:
    api.create(PODS, pod())
    found = api.connect(f"{PODS}/http:p:8080/proxy/shell", query=[("cmd", "ls /")])
    assert (found.name, found.port, found.scheme, found.path) == ("p", "8080", "http", "/shell")
    assert api.connect(f"{PODS}/p/proxy").path == "/"


PORT = st.fixed_dictionaries(
    {},
    optional={
        "port": st.integers(-1, 70000) | st.text(max_size=3),
        "targetPort": st.integers(-1, 70000) | st.text(max_size=20),
        "nodePort": st.integers(-1, 40000),
        "name": st.text(max_size=4),
        "protocol": st.sampled_from(["TCP", "UDP", "tcp", ""]),
    },
)
SPEC = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "x"]),
        "clusterIP": st.sampled_from(["None", "", "10.96.0.5", "1.2.3.4", "x"]),
        "ports": st.lists(PORT, max_size=3),
        "selector": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        "sessionAffinity": st.sampled_from(["None", "ClientIP", "x"]),
        "externalTrafficPolicy": st.sampled_from(["Local", "Cluster", ""]),
        "ipFamilyPolicy": st.sampled_from(["SingleStack", "RequireDualStack", "PreferDualStack", "x"]),
        "ipFamilies": st.lists(st.sampled_from(["IPv4", "IPv6", "x"]), max_size=2),
        "externalName": st.text(max_size=5),
        "externalIPs": st.lists(st.sampled_from(["192.0.2.1", "127.0.0.1", ""]), max_size=2),
    },
)


@settings(deadline=None)
@given(SPEC, SPEC)
def test_whatever_a_learner_writes_is_accepted_or_refused_with_causes(first: dict, second: dict) -> None:  # type: ignore[type-arg]
    api = Api()
    for method, path in (("POST", SERVICES), ("PUT", f"{SERVICES}/web")):
        spec = first if method == "POST" else second
        obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
        code, body = api.call(method, path, obj)
        assert code in (200, 201, 400, 422), body
        if code == 422:
            assert all(cause["field"] and cause["reason"] for cause in body["details"]["causes"])
        if code in (200, 201):
            again, problems = clean(body, SERVICE, kind="Service", version="v1")
            assert problems == []
            assert again == body


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"dnsPolicy": "None"}, "spec.dnsConfig"),
        ({"dnsPolicy": "None", "dnsConfig": {"searches": ["a"]}}, "spec.dnsConfig.nameservers"),
        ({"dnsConfig": {"nameservers": ["192.0.2.1"] * 4}}, "spec.dnsConfig.nameservers"),
        ({"dnsConfig": {"nameservers": ["here"]}}, "spec.dnsConfig.nameservers[0]"),
        ({"dnsConfig": {"searches": ["a"] * 33}}, "spec.dnsConfig.searches"),
        ({"dnsConfig": {"options": [{"value": "2"}]}}, "spec.dnsConfig.options[0]"),
    ],
)
def test_a_pods_dns_config_must_make_a_resolv_conf(api: Api, spec: dict[str, Any], field: str) -> None:
    code, body = api.call("POST", PODS, pod(**spec))
    assert (code, body["details"]["causes"][0]["field"]) == (422, field)


def test_conflicts_of_an_apply_are_told_from_the_outer_fields_to_the_inner_ones(api: Api) -> None:
    def apply(manager: str, **spec: Any) -> tuple[int, Any]:
        query = [("fieldManager", manager)]
        return api.call("PATCH", f"{SERVICES}/web", service(**spec), query=query, kind="application/apply-patch+yaml")

    apply("one", selector={"a": "b"}, ports=[{"port": 80, "targetPort": 1}])
    code, body = apply("two", selector={"a": "c"}, ports=[{"port": 80, "targetPort": 2}])
    assert code == 409
    fields = [cause["field"] for cause in body["details"]["causes"]]
    assert fields == [".spec.selector", '.spec.ports[port=80,protocol="TCP"].targetPort']


def test_a_change_that_comes_to_nothing_leaves_the_object_as_it_is(api: Api) -> None:
    api.create(SERVICES, service(type="LoadBalancer", externalTrafficPolicy="Local"))
    before = api.get(f"{SERVICES}/web")
    api.time += 5
    assert api.patch(f"{SERVICES}/web", {"spec": {"healthCheckNodePort": 0}}) == before


def debugger(name: str = "debugger", **fields: Any) -> dict[str, Any]:
    return {"spec": {"ephemeralContainers": [{"name": name, "image": "busybox", **fields}]}}


def test_debug_containers_come_by_their_subresource_only(api: Api) -> None:
    api.create(PODS, pod())
    assert api.call("PATCH", f"{PODS}/p", debugger(), kind="application/strategic-merge-patch+json")[0] == 422
    body = {**debugger(), "metadata": {"labels": {"a": "b"}}}
    body["spec"]["priority"] = 7
    made = api.patch(f"{PODS}/p/ephemeralcontainers", body)
    (added,) = made["spec"]["ephemeralContainers"]
    assert added["imagePullPolicy"] == "Always"
    assert added["terminationMessagePath"] == "/dev/termination-log"
    assert made["spec"]["priority"] == 0
    assert made["status"]["phase"] == "Pending"


def test_debug_containers_neither_change_nor_go(api: Api) -> None:
    api.create(PODS, pod())
    path = f"{PODS}/p/ephemeralcontainers"
    api.patch(path, debugger())
    kind = "application/strategic-merge-patch+json"
    code, answer = api.call("PATCH", path, debugger(image="busybox:1"), kind=kind)
    assert (code, 'existing ephemeral containers "debugger" may not be changed' in answer["message"]) == (422, True)
    code, answer = api.call("PATCH", path, {"spec": {"ephemeralContainers": None}}, kind=kind)
    assert (code, 'existing ephemeral containers "debugger" may not be removed' in answer["message"]) == (422, True)


def test_what_debug_containers_may_not_have_is_told(api: Api) -> None:
    api.create(PODS, pod())
    body = debugger("p", targetContainerName="nosuch", ports=[{"containerPort": 80}])
    body["spec"]["ephemeralContainers"][0]["name"] = api.get(f"{PODS}/p")["spec"]["containers"][0]["name"]
    code, answer = api.call(
        "PATCH", f"{PODS}/p/ephemeralcontainers", body, kind="application/strategic-merge-patch+json"
    )
    assert code == 422
    assert [(cause["field"].rpartition(".")[2], cause["reason"]) for cause in answer["details"]["causes"]] == [
        ("name", "FieldValueDuplicate"),
        ("targetContainerName", "FieldValueNotFound"),
        ("ports", "FieldValueForbidden"),
    ]
    created = {**pod("q"), "spec": {**pod("q")["spec"], **debugger()["spec"]}}
    assert "cannot be set on create" in api.call("POST", PODS, created)[1]["message"]
