"""Kinds that are only read; answers are kind's (1.36.3)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.api.http.messages import Response
from tests.embedded.core.api.api_client import TABLE, Api

STATUSES = "/api/v1/componentstatuses"
WARNING = '299 - "v1 ComponentStatus is deprecated in v1.19+"'
HEALTHY = [{"type": "Healthy", "status": "True", "message": "ok"}]


def test_the_control_planes_parts_are_well_and_the_kind_is_deprecated(api: Api) -> None:
    answer = api.ask("GET", STATUSES)
    assert isinstance(answer, Response)
    assert dict(answer.headers)["warning"] == WARNING
    assert api.get(STATUSES) == {
        "kind": "ComponentStatusList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [
            {"metadata": {"name": name}, "conditions": HEALTHY}
            for name in ("controller-manager", "etcd-0", "scheduler")
        ],
    }


def test_one_of_them(api: Api) -> None:
    assert api.get(f"{STATUSES}/scheduler") == {
        "kind": "ComponentStatus",
        "apiVersion": "v1",
        "metadata": {"name": "scheduler"},
        "conditions": HEALTHY,
    }
    code, answer = api.call("GET", f"{STATUSES}/nope")
    assert (code, answer["message"]) == (404, 'componentstatus "nope" not found')


def test_their_table(api: Api) -> None:
    table = api.get(STATUSES, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Message", "Error"]
    assert table["rows"][1]["cells"] == ["etcd-0", "Healthy", "ok", ""]


@pytest.mark.parametrize(("method", "query"), [("GET", [("watch", "1")]), ("POST", []), ("DELETE", [])])
def test_they_are_neither_watched_nor_written(api: Api, method: str, query: Any) -> None:
    code, answer = api.call(method, STATUSES, query=query)
    assert code == 405
    if query:
        assert answer["message"] == 'watch is not supported on resources of kind "componentstatuses"'
