"""Streams over WebSocket, as other clients than kubectl ask for them; answers are kind's (1.36.3)."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import runpy
import ssl
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

aiohttp = pytest.importorskip("aiohttp")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Client:
    """aiohttp with the cluster's address, authority and token."""

    def __init__(self, kubectl: Kubectl) -> None:
        config = yaml.safe_load(kubectl.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server: str = cluster["server"]
        self.token: str = user["token"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=authority)
        self.path = f"/api/v1/namespaces/{kubectl.namespace}"

    def run(self, talk: Callable[[Any], Awaitable[Any]], *, authorized: bool = True) -> Any:
        async def main() -> Any:
            headers = {"Authorization": f"Bearer {self.token}"} if authorized else {}
            async with aiohttp.ClientSession(self.server, headers=headers) as session:
                return await asyncio.wait_for(talk(session), 10)

        return asyncio.run(main())


@pytest.fixture
def client(kubectl: Kubectl) -> Iterator[Client]:
    yield Client(kubectl)
    with warnings.catch_warnings():  # aiohttp leaves what it aborts to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def pod(kubectl: Kubectl) -> str:
    kubectl("run", "talker", "--image=busybox:1.37", "--", "sh", "-c", "echo one; sleep 1000")
    kubectl("wait", "--for=condition=Ready", "pod/talker", "--timeout=20s")
    return "talker"


def test_a_watch_over_websocket_is_upgraded_and_sends_an_event_a_frame(kubectl: Kubectl, client: Client) -> None:
    async def talk(session: Any) -> list[dict[str, Any]]:
        async with session.ws_connect(f"{client.path}/configmaps?watch=true", ssl=client.tls, origin="https://x") as ws:
            events = [await ws.receive()]
            await asyncio.to_thread(kubectl, "create", "configmap", "second")
            events.append(await ws.receive())
        assert all(event.type is aiohttp.WSMsgType.TEXT and event.data.endswith("}\n") for event in events)
        return [json.loads(event.data) for event in events]

    events = client.run(talk)

    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "kube-root-ca.crt"),
        ("ADDED", "second"),
    ]


def test_the_script_of_a_client_that_asks_for_every_watch_so(
    kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubectl.kubeconfig))
    runpy.run_path(str(Path(__file__).parents[1] / "cases" / "watch_over_websocket.py"))
    assert capsys.readouterr().out.startswith('upgraded; first event: {"type":"ADDED","object":{')


def refused(client: Client, path: str, **options: Any) -> int:
    async def talk(session: Any) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await session.ws_connect(client.path + path, ssl=client.tls, **options)
        return int(error.value.status)

    return int(client.run(talk))


def test_a_watch_over_websocket_without_an_origin_is_forbidden(client: Client) -> None:
    assert refused(client, "/configmaps?watch=true") == 403


def test_a_browser_may_hide_its_token_among_the_subprotocols(client: Client) -> None:
    hidden = base64.urlsafe_b64encode(client.token.encode()).decode().rstrip("=")
    protocols = (f"base64url.bearer.authorization.k8s.io.{hidden}", "x")

    async def talk(session: Any) -> Any:
        path = f"{client.path}/configmaps?watch=true"
        async with session.ws_connect(path, ssl=client.tls, origin="https://x", protocols=protocols) as ws:
            return ws.protocol, json.loads((await ws.receive()).data)["type"]

    assert client.run(talk, authorized=False) == ("x", "ADDED")


def test_a_log_over_websocket_begins_with_an_empty_message(client: Client, pod: str) -> None:
    async def talk(session: Any) -> Any:
        logs = []
        for protocols in ([], ["binary.k8s.io"], ["base64.binary.k8s.io"]):
            path = f"{client.path}/pods/{pod}/log"
            async with session.ws_connect(path, ssl=client.tls, protocols=protocols) as ws:
                logs.append([(await ws.receive()).data for _ in range(3)])
        return logs

    assert client.run(talk) == [[b"", b"one\n", 1000]] * 2 + [["", "b25lCg==", 1000]]


def test_a_log_that_is_followed_over_websocket_is_sent_as_it_grows(client: Client, pod: str) -> None:
    async def talk(session: Any) -> Any:
        path = f"{client.path}/pods/{pod}/log?follow=true&limitBytes=3"
        async with session.ws_connect(path, ssl=client.tls) as ws:
            return [(await ws.receive()).data for _ in range(3)]

    assert client.run(talk) == [b"", b"one", 1000]
    assert refused(client, f"/pods/{pod}/log", protocols=["foo"]) == 403


def executed(client: Client, pod: str, query: str, protocol: str) -> list[Any]:
    async def talk(session: Any) -> list[Any]:
        path = f"{client.path}/pods/{pod}/exec?{query}"
        async with session.ws_connect(path, ssl=client.tls, protocols=[protocol] * bool(protocol)) as ws:
            return [message.data async for message in ws]

    return list(client.run(talk))


ENDED = "command terminated with non-zero exit code: "


def test_each_subprotocol_tells_the_end_of_a_command_its_own_way(client: Client, pod: str) -> None:
    query = "command=sh&command=-c&command=echo+hi;exit+3&stdout=true"
    told = "error executing command [sh -c echo hi;exit 3], exit code 3"

    assert executed(client, pod, query, "channel.k8s.io") == [b"\1", b"\1hi\n", b"\3" + (ENDED + told).encode()]
    assert executed(client, pod, "command=echo&command=hi&stdout=true", "") == [b"\1", b"\1hi\n"]
    assert executed(client, pod, "command=echo&command=hi&stdout=true", "base64.channel.k8s.io") == ["1", "1aGkK"]
    for protocol, words in (("v4.channel.k8s.io", told), ("v5.channel.k8s.io", "command terminated with exit code 3")):
        greeting, line, status = executed(client, pod, query, protocol)
        assert (greeting, line, status[:1]) == (b"\1", b"\1hi\n", b"\3")
        assert json.loads(status[1:])["message"] == ENDED + words


def test_the_greeting_goes_to_the_lowest_channel_that_is_written_to(client: Client, pod: str) -> None:
    assert executed(client, pod, "command=true&stderr=true", "v5.channel.k8s.io")[0] == b"\2"
    assert executed(client, pod, "command=true&stdin=true", "v5.channel.k8s.io")[0] == b"\3"


def test_a_command_that_is_none_is_told_in_the_connection(client: Client, pod: str) -> None:
    _, status = executed(client, pod, "stdout=true", "v4.channel.k8s.io")
    assert json.loads(status[1:])["message"].endswith("OCI runtime exec failed: exec failed: args must not be empty")


def test_what_could_not_be_run_is_told_once_by_the_node_and_again_by_the_api_server(client: Client, pod: str) -> None:
    told = "error executing command in container: failed to exec in container: "
    once = "Internal error occurred: "
    for protocol, prefix in (("v4.channel.k8s.io", once), ("v5.channel.k8s.io", once * 2)):
        _, status = executed(client, pod, "command=nope&stderr=true", protocol)
        assert json.loads(status[1:])["message"].startswith(prefix + told)


def test_a_command_without_any_stream_or_upgrade_is_refused(kubectl: Kubectl, client: Client, pod: str) -> None:
    path = f"/pods/{pod}/exec?command=true"
    assert refused(client, path) == 400
    assert "Upgrade request required" in kubectl.fails("get", "--raw", client.path + path + "&stdout=true")
