import json
from typing import Any

import pytest

from grader.embedded.core.api.describe import openapi2
from grader.embedded.core.api.http.messages import Response
from grader.embedded.core.api.kinds.registry import GROUP_VERSIONS, REGISTRY
from tests.embedded.core.api.api_client import Api

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


def test_aggregated_discovery_is_sent_to_who_reads_it(api: Api) -> None:
    answer = api.ask("GET", "/apis", accept=AGGREGATED)
    assert isinstance(answer, Response)
    assert dict(answer.headers)["content-type"].endswith("v=v2;as=APIGroupDiscoveryList")
    groups = json.loads(answer.body)["items"]
    assert "discovery.k8s.io" in [group["metadata"]["name"] for group in groups]


def test_plain_and_aggregated_discovery_say_the_same(api: Api) -> None:
    (core,) = api.get("/api", accept=AGGREGATED)["items"]
    aggregated = {
        entry["resource"]: (entry["responseKind"]["kind"], entry["scope"] == "Namespaced", tuple(entry["verbs"]))
        for entry in core["versions"][0]["resources"]
    }
    plain = {
        entry["name"]: (entry["kind"], entry["namespaced"], tuple(entry["verbs"]))
        for entry in api.get("/api/v1")["resources"]
        if "/" not in entry["name"]
    }
    assert plain == aggregated


def test_services_are_discovered_as_kubernetes_shows_them(api: Api) -> None:
    entry = next(entry for entry in api.get("/api/v1")["resources"] if entry["name"] == "services")
    assert (entry["shortNames"], entry["categories"], entry["singularName"]) == (["svc"], ["all"], "service")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping"])
def test_health_is_told_in_plain_text(api: Api, path: str) -> None:
    answer = api.ask("GET", path)
    assert isinstance(answer, Response) and answer.body == b"ok"


def test_the_version_is_that_of_the_course(api: Api) -> None:
    assert api.get("/version")["gitVersion"] == "v1.36.3"


def test_every_group_version_has_an_openapi_document_without_loose_ends(api: Api) -> None:
    paths = api.get("/openapi/v3")["paths"]
    assert len(paths) == len(GROUP_VERSIONS)
    for entry in paths.values():
        document = api.get(entry["serverRelativeURL"].partition("?")[0])
        known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
        assert references(document["components"]) <= known


def test_openapi_lets_clients_validate_on_the_server(api: Api) -> None:
    document = api.get("/openapi/v3/api/v1")
    patch = document["paths"]["/api/v1/namespaces/{namespace}/services/{name}"]["patch"]
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= {entry["name"] for entry in patch["parameters"]}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "kind": "Service", "version": "v1"}


def test_openapi_v2_lets_kubectl_validate_the_items_of_a_list(api: Api) -> None:
    definitions = api.get("/openapi/v2")["definitions"]
    port = definitions["io.k8s.api.core.v1.ServicePort"]
    assert port["required"] == ["port"]
    assert port["properties"]["port"] == {"type": "integer", "format": "int32"}
    target = port["properties"]["targetPort"]["$ref"].removeprefix("#/definitions/")
    assert definitions[target] == {"type": "string", "format": "int-or-string"}
    assert {name.removeprefix("#/definitions/") for name in references(definitions)} <= set(definitions)
    answer = api.ask("GET", "/openapi/v2", accept=openapi2.ASKED[1])
    assert isinstance(answer, Response) and dict(answer.headers)["content-type"] == openapi2.PROTOBUF
    assert answer.body.startswith(b"\x0a\x032.0\x12")


def test_every_served_kind_has_a_schema() -> None:
    from grader.embedded.core.api.schema.types import definitions

    assert [entry.kind for entry in REGISTRY if entry.definition not in definitions()] == []


def test_writing_to_a_document_is_not_allowed(api: Api) -> None:
    assert api.call("POST", "/version", {})[0] == 405
