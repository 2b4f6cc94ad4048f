"""Without any client and any socket: requests in, answers out, and time passes when it is told to."""

import json

from examples.manifests import DEPLOYMENT, SERVICE
from grader.embedded.inprocess import Cluster

JSON = {"Content-Type": "application/json"}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=web"


def test_a_service_gets_its_endpoints(cluster: Cluster) -> None:
    for path, obj in (
        ("/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT),
        ("/api/v1/namespaces/default/services", SERVICE),
    ):
        status, _ = cluster.request("POST", path, JSON, json.dumps(obj).encode())
        assert status == 201

    for event in cluster.watch(SLICES, limit=60):
        if sum(item["conditions"]["ready"] for item in event["object"].get("endpoints") or ()) == 2:
            break
    else:
        raise AssertionError("no endpoints within a minute of the cluster's time")

    pods = json.loads(cluster.request("GET", "/api/v1/namespaces/default/pods")[1])["items"]
    fetched = cluster.exec("default", pods[0]["metadata"]["name"], ["curl", "-s", "http://web/"])
    assert b"Welcome to nginx!" in fetched.stdout
    assert any(b'"GET / HTTP/1.1" 200' in cluster.logs("default", pod["metadata"]["name"]) for pod in pods)
