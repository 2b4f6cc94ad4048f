"""A cluster inside of this process is a client's server, and its clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from grader.cluster.inprocess import AtOnce, Inside
from grader.errors import ClusterUnreachable


def test_a_client_works_on_it_and_waits_by_its_clock() -> None:
    inside = Inside("here", begun=datetime(2026, 4, 1, tzinfo=UTC).timestamp())
    with inside.api() as api:
        assert api.version() == "v1.36.3"
        assert all(node["metadata"]["name"].startswith("here-") for node in api.list("nodes"))
        before = api.clock.monotonic()
        api.clock.sleep(90)
        assert api.clock.monotonic() - before == 90
        assert api.clock.today() == datetime(2026, 4, 1, 0, 1, 30, tzinfo=UTC)
        pod = api.list("pods", "course-probe")[0]["metadata"]["name"]
        with pytest.raises(ClusterUnreachable) as caught:
            api.request("GET", f"/api/v1/namespaces/course-probe/pods/{pod}:8080/proxy/shell", {"cmd": "sleep 60"})
        assert caught.value.code == "api-timeout"
    assert (inside.info.name, inside.info.version, inside.info.pid) == ("here", "v1.36.3", 0)


def test_what_is_asked_at_once_is_done_at_once() -> None:
    with AtOnce(8) as executor:
        assert list(executor.map(abs, [-1, 2])) == [1, 2]
        failed = executor.submit(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result()
