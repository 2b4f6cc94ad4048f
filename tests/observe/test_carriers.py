"""What carries a command to a vantage says whether nothing came back, it could not be brought, or it was rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from grader.errors import ClusterUnreachable
from grader.kube.client import KubeApi, ProbeUnreachable
from grader.observe.carriers import ApiCarrier, Carrier, CarrierError, PodCarrier, RejectionError, SilenceError


class Api:
    """An API server that answers so, or fails so."""

    def __init__(self, answer: tuple[int, bytes] | Exception) -> None:
        self.reply = answer
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, *asked: Any) -> tuple[int, bytes]:
        self.asked.append(asked)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def pod_get(
        self, namespace: str, pod: str, path: str, query: Mapping[str, str], *, port: int, timeout: float
    ) -> bytes:
        return self._answer(namespace, pod, path, query, port, timeout)[1]

    def request(self, method: str, path: str, query: Mapping[str, str], *, timeout: float) -> tuple[int, bytes]:
        return self._answer(method, path, query, timeout)


def pod(answer: tuple[int, bytes] | Exception) -> tuple[Api, Carrier]:
    api = Api(answer)
    return api, PodCarrier(cast(KubeApi, api), "shop", "probe")


def outside(answer: tuple[int, bytes] | Exception) -> tuple[Api, Carrier]:
    api = Api(answer)
    return api, ApiCarrier(cast(KubeApi, api), "/outside/")


def get(way: Carrier) -> bytes:
    return way.get("dial", {"host": "x"}, 2.0)


def test_an_answer_is_handed_back_as_it_is() -> None:
    api, way = pod((200, b"body"))
    assert get(way) == b"body"
    assert api.asked == [("shop", "probe", "dial", {"host": "x"}, 8080, 2.0)]
    api, way = outside((200, b" body "))
    assert get(way) == b" body "
    assert api.asked == [("GET", "/outside/dial", {"host": "x"}, 2.0)]


@pytest.mark.parametrize("make", [pod, outside])
def test_nothing_in_time_is_silence_and_any_other_trouble_of_the_cluster_is_not(make: Any) -> None:
    with pytest.raises(SilenceError):
        get(make(ClusterUnreachable("api-timeout", server="s"))[1])
    with pytest.raises(ClusterUnreachable):
        get(make(ClusterUnreachable("api-refused", server="s"))[1])


@pytest.mark.parametrize("status", ["400", "417"])
def test_what_the_vantage_itself_rejects_is_told_in_its_words(status: str) -> None:
    with pytest.raises(RejectionError, match="no such host"):
        get(pod(ProbeUnreachable("probe", http_status=status, reason="no such host"))[1])
    with pytest.raises(RejectionError, match="no such host"):
        get(outside((int(status), b"no such host\n"))[1])


def test_a_vantage_that_cannot_be_used_is_named() -> None:
    with pytest.raises(CarrierError) as caught:
        get(pod(ProbeUnreachable("probe", http_status="503", reason="gone"))[1])
    assert (caught.value.code, caught.value.facts) == (
        "probe-unreachable",
        {"namespace": "shop", "pod": "probe", "reason": "gone"},
    )
    with pytest.raises(CarrierError) as caught:
        get(outside((502, b"no client\n"))[1])
    assert (caught.value.code, caught.value.facts["reason"]) == ("outside-client-unreachable", "HTTP 502 no client")
