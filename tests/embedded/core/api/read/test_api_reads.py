import pytest

from grader.embedded.core.api.http.messages import Response
from tests.embedded.core.api.api_client import DEPLOYMENTS, PODS, SERVICES, TABLE, Api, deployment, pod, service


@pytest.fixture
def three(api: Api) -> Api:
    for name, labels in (("a", {"app": "web", "tier": "1"}), ("b", {"app": "web"}), ("c", {"app": "db"})):
        obj = pod(name)
        obj["metadata"]["labels"] = labels
        api.create(PODS, obj)
    return api


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("app=web", "ab"),
        ("app==web", "ab"),
        ("app!=web", "c"),
        ("app in (web, db)", "abc"),
        ("app notin (web)", "c"),
        ("tier", "a"),
        ("!tier", "bc"),
        ("app=web,!tier", "b"),
        ("tier>0", "a"),
        ("tier<1", ""),
        ("", "abc"),
    ],
)
def test_label_selectors(three: Api, selector: str, found: str) -> None:
    items = three.get(PODS, query=[("labelSelector", selector)])["items"]
    assert "".join(item["metadata"]["name"] for item in items) == found


def test_field_selectors(three: Api) -> None:
    assert len(three.get(PODS, query=[("fieldSelector", "status.phase=Pending,metadata.name!=a")])["items"]) == 2
    assert three.get(PODS, query=[("fieldSelector", "spec.nodeName=x")])["items"] == []


def test_pages_follow_each_other_without_loss_or_repetition(three: Api) -> None:
    names: list[str] = []
    token = ""
    for _ in range(3):
        page = three.get(PODS, query=[("limit", "1"), ("continue", token)])
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
    assert names == ["a", "b", "c"]
    assert token == ""


def test_a_continue_token_that_is_none_is_refused(three: Api) -> None:
    code, body = three.call("GET", PODS, query=[("continue", "nonsense")])
    assert (code, body["message"]) == (
        400,
        "invalid continue token: continue key is not valid: invalid character '\\u009e' looking for beginning of value",
    )


def test_what_is_left_is_counted_only_where_nothing_is_selected(three: Api) -> None:
    assert three.get(PODS, query=[("limit", "1")])["metadata"]["remainingItemCount"] == 2
    selected = three.get(PODS, query=[("limit", "1"), ("labelSelector", "!nosuch")])
    assert "continue" in selected["metadata"]
    assert "remainingItemCount" not in selected["metadata"]


def test_list_items_carry_no_kind_of_their_own(api: Api) -> None:
    api.create(SERVICES, service())
    listed = api.get(SERVICES)
    assert listed["kind"] == "ServiceList"
    assert "kind" not in listed["items"][0]


def test_all_namespaces_are_listed_together(api: Api) -> None:
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    api.create(SERVICES, service("a"))
    api.create("/api/v1/namespaces/other/services", service("b"))
    assert len(api.get("/api/v1/services")["items"]) == 2


def test_the_table_of_services_is_that_of_kubernetes(api: Api) -> None:
    api.create(SERVICES, service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}], clusterIP="10.96.0.20"))
    api.time += 200
    table = api.get(SERVICES, accept=TABLE)
    shown = [c["name"] for c in table["columnDefinitions"] if not c["priority"]]
    assert shown == ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"]
    assert table["rows"][0]["cells"] == ["web", "NodePort", "10.96.0.20", "<none>", "80:30080/TCP", "3m20s", "app=web"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_a_table_row_holds_the_whole_object_where_asked(api: Api) -> None:
    api.create(SERVICES, service())
    table = api.get(SERVICES, accept=TABLE, query=[("includeObject", "Object")])
    assert table["rows"][0]["object"]["spec"]["type"] == "ClusterIP"


def test_a_deployments_scale_is_read_and_written(api: Api) -> None:
    api.create(DEPLOYMENTS, deployment(replicas=3))
    scale = api.get(f"{DEPLOYMENTS}/d/scale")
    assert (scale["spec"]["replicas"], scale["status"]["selector"]) == (3, "app=web")
    scale["spec"]["replicas"] = 5
    assert api.call("PUT", f"{DEPLOYMENTS}/d/scale", scale)[0] == 200
    assert api.get(f"{DEPLOYMENTS}/d")["spec"]["replicas"] == 5
    assert api.call("PUT", f"{DEPLOYMENTS}/d/scale", scale)[0] == 409


def test_endpoints_are_answered_with_the_deprecation_warning(api: Api) -> None:
    answer = api.ask("GET", "/api/v1/namespaces/default/endpoints")
    assert isinstance(answer, Response)
    text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    assert ("warning", f'299 - "{text}"') in answer.headers


def test_yaml_is_sent_to_who_prefers_it(api: Api) -> None:
    api.create(SERVICES, service())
    answer = api.ask("GET", f"{SERVICES}/web", accept="application/yaml")
    assert isinstance(answer, Response)
    assert answer.body.startswith(b"apiVersion: v1\nkind: Service\n")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/services", "/apis/apps/v1/y", f"{SERVICES}/a/b/c"])
def test_unknown_paths_are_not_found(api: Api, path: str) -> None:
    assert api.call("GET", path)[0] == 404


def test_events_are_shown_in_both_groups(api: Api) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
        "message": "hello",
        "reason": "Testing",
    }
    api.create("/api/v1/namespaces/default/events", event)
    (new,) = api.get("/apis/events.k8s.io/v1/namespaces/default/events")["items"]
    assert (new["note"], new["regarding"]["name"]) == ("hello", "p")
