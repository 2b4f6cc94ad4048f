"""With the official client, over a socket."""

import gc
import warnings
from collections.abc import Iterator

import pytest
from kubernetes import client, config, watch

from examples.manifests import DEPLOYMENT, SERVICE
from grader.embedded.testing import ServedCluster


@pytest.fixture
def api(served_cluster: ServedCluster) -> Iterator[client.ApiClient]:
    made = config.new_client_from_config(str(served_cluster.kubeconfig))
    yield made
    made.close()
    with warnings.catch_warnings():  # the client leaves its sockets to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        del made
        gc.collect()


def test_a_service_gets_its_endpoints(api: client.ApiClient) -> None:
    client.AppsV1Api(api).create_namespaced_deployment("default", DEPLOYMENT)
    client.CoreV1Api(api).create_namespaced_service("default", SERVICE)

    watching = watch.Watch()
    listing = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice
    selector = "kubernetes.io/service-name=web"
    for event in watching.stream(listing, "default", label_selector=selector, timeout_seconds=20):
        if sum(bool(item.conditions.ready) for item in event["object"].endpoints or ()) == 2:
            watching.stop()
            return
    raise AssertionError("no endpoints")
