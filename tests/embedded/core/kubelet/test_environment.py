from __future__ import annotations

from grader.embedded.core.kubelet.environment import service_variables
from grader.embedded.core.store import Obj


def service(name: str, ip: str, *ports: dict[str, object]) -> Obj:
    return {"metadata": {"name": name}, "spec": {"clusterIP": ip, "ports": list(ports)}}


def test_containers_that_see_the_same_services_share_their_variables() -> None:
    seen = [service("my-db", "10.96.0.7", {"name": "sql", "port": 5432}), service("none", "None", {"port": 80})]
    variables = service_variables(seen)
    assert dict(variables) == {
        "MY_DB_SERVICE_HOST": "10.96.0.7",
        "MY_DB_SERVICE_PORT": "5432",
        "MY_DB_SERVICE_PORT_SQL": "5432",
        "MY_DB_PORT": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP_PROTO": "tcp",
        "MY_DB_PORT_5432_TCP_PORT": "5432",
        "MY_DB_PORT_5432_TCP_ADDR": "10.96.0.7",
    }
    assert service_variables([service("my-db", "10.96.0.7", {"name": "sql", "port": 5432})]) is variables
