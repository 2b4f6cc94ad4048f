"""What the Pod and Service proxies change of request and answer; every text was seen on kind."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.api.connect import proxying
from grader.embedded.core.api.http.messages import Connect
from grader.embedded.core.kernel import Kernel, Stream, VirtualClock, drive, pair
from grader.embedded.core.programs.net import http, tls
from grader.embedded.core.programs.servers import golang
from grader.embedded.core.store import Store

PREFIX = "/api/v1/namespaces/n/pods/p/proxy"
HOST = "127.0.0.1:6443"


def passage(path: str, query: str = "", method: str = "GET", scheme: str = "http") -> Any:
    store = Store(lambda: 0.0)
    spec = {"nodeName": "worker", "containers": [{"name": "web"}]}
    meta = {"name": "p", "namespace": "n"}
    store.create("pods", {"metadata": meta, "spec": spec, "status": {"podIP": "10.244.1.2"}})
    connect = Connect("proxy", "pods", "n", "p", (), method, scheme=scheme)
    return proxying.passage(store, connect, f"{PREFIX}{path}", query, {"host": HOST})


@pytest.mark.parametrize(("method", "query", "to"), [("GET", "", "/"), ("HEAD", "a=b", "/?a=b")])
def test_a_path_that_ends_in_proxy_is_redirected_to_the_folder(method: str, query: str, to: str) -> None:
    answer = passage("", query, method)
    assert (answer.status, answer.headers) == (301, (("location", f"{PREFIX}{to}"),))


def test_other_methods_and_paths_are_passed_on() -> None:
    assert passage("", "a=b", "DELETE").target == "/?a=b"
    assert passage("/").target == "/"
    assert passage("/x%20y/", "a=b").target == "/x%20y/?a=b"
    assert (passage("/").address, passage("/", scheme="https").address) == (("10.244.1.2", 80), ("10.244.1.2", 443))


def fetched(to: proxying.Passage, respond: Any, certificate: tls.Certificate | None = None) -> proxying.Proxied:
    clock = VirtualClock()
    kernel = Kernel(clock)
    near, far = pair()

    async def serve(stream: Stream) -> None:
        if certificate is None or await golang.accept_tls(stream, certificate):
            await http.serve(stream, ("10.244.0.1", 1), respond)
        stream.close()

    kernel.spawn(serve(far), "server")
    return drive(kernel, clock, proxying.fetch(near, to, [("authorization", "secret"), ("x-own", "1")], b""))


def answering(body: str, **headers: str) -> Any:
    async def respond(request: http.Request) -> http.Response:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return http.Response(200, body.encode(), fields)

    return respond


def test_the_server_sees_the_clients_host_and_where_the_proxy_is() -> None:
    seen: list[http.Request] = []

    async def respond(request: http.Request) -> http.Response:
        seen.append(request)
        return http.Response(200, b"")

    fetched(passage("/show%20x", "a=1"), respond)
    names = ("host", "x-forwarded-uri", "x-forwarded-for", "x-own", "authorization")
    shown = [seen[0].header(name) for name in names]
    assert (seen[0].target, shown) == ("/show%20x?a=1", [HOST, f"{PREFIX}/show%20x", "127.0.0.1", "1", ""])


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/there/?x=1", f"{PREFIX}/there/?x=1"),
        (f"{PREFIX}/there", f"{PREFIX}/there"),
        ("http://10.244.1.2:80/there", f"{PREFIX}/there"),
        (f"http://{HOST}/there", f"http://{HOST}{PREFIX}/there"),
        ("http://127.0.0.1/there", "http://127.0.0.1/there"),
        ("there", "there"),
    ],
)
def test_a_redirection_leads_through_the_proxy(location: str, shown: str) -> None:
    answer = fetched(passage("/"), answering("", location=location))
    assert dict(answer.headers)["location"] == shown


def test_links_of_html_lead_through_the_proxy_and_those_of_other_texts_stay() -> None:
    page = '<a href="/x">test</a>'
    html = fetched(passage("/"), answering(page, content_type="text/html; charset=utf-8"))
    assert html.body.decode() == f'<a href="{PREFIX}/x">test</a>'
    assert fetched(passage("/"), answering(page, content_type="text/plain")).body.decode() == page


def test_cors_headers_end_at_the_proxy() -> None:
    answer = fetched(passage("/"), answering("", access_control_allow_origin="*", x_own="1"))
    assert answer.headers == (("x-own", "1"),)


def test_a_server_that_speaks_tls_is_believed_whoever_signed_it() -> None:
    certificate = tls.Certificate(("elsewhere",), "")
    assert fetched(passage("/", scheme="https"), answering("secret"), certificate).body == b"secret"
    answer = fetched(passage("/"), answering("secret"), certificate)
    assert (answer.status, answer.body) == (400, b"Client sent an HTTP request to an HTTPS server.\n")


def test_a_server_that_speaks_no_tls_is_told() -> None:
    with pytest.raises(proxying.BadAnswer, match="tls: first record does not look like a TLS handshake"):
        fetched(passage("/", scheme="https"), answering("plain"))


def test_the_outside_clients_answers_are_left_as_they_are() -> None:
    page = '<a href="/x">test</a>'
    assert fetched(proxying.to_outside("GET", "/"), answering(page, content_type="text/html")).body.decode() == page
