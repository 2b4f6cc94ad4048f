"""With kr8s (`pip install kr8s`), over a socket."""

import kr8s
import pytest

from examples.manifests import DEPLOYMENT, SERVICE
from grader.embedded.testing import ServedCluster


@pytest.mark.filterwarnings("ignore:Kubernetes version:UserWarning")  # kr8s knows up to 1.35
def test_a_deployment_is_rolled_out_and_its_service_ready(served_cluster: ServedCluster) -> None:
    from kr8s.objects import Deployment, Service

    api = kr8s.api(kubeconfig=str(served_cluster.kubeconfig))
    deployment, service = Deployment(DEPLOYMENT, api=api), Service(SERVICE, api=api)
    deployment.create()
    service.create()

    deployment.wait("condition=Available", timeout=20)

    assert len(service.ready_pods()) == 2
