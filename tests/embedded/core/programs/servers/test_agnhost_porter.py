"""`agnhost porter` and the small subcommands."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import drive
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.servers import golang
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, logs


def porter(network: Network, *flags: str, **env: str) -> Any:
    host = network.host("porter", "10.244.1.9", **env)
    return host, host.start(AGNHOST, "porter", *flags)


def get(network: Network, port: int, method: str = "GET") -> http.Response:
    async def fetch() -> http.Response:
        stream = await network.host("client", "10.244.9.9").connect("10.244.1.9", port)
        return await http.exchange(stream, method, "/any", [("Host", "probe")])

    return drive(network.kernel, network.clock, fetch())


def test_porter_serves_what_its_environment_says(network: Network) -> None:
    porter(network, SERVE_PORT_80='<a href="/x">test</a>', SERVE_TCP_PORT_81="foo", SERVE_UDP_PORT_90="bar")
    page = get(network, 80)
    assert (page.body, page.header("content-type")) == (b'<a href="/x">test</a>', "text/html; charset=utf-8")
    assert (get(network, 81).body, get(network, 81).header("content-type")) == (b"foo", "text/plain; charset=utf-8")
    client = network.host("client", "10.244.9.9")
    assert drive(network.kernel, network.clock, client.udp("10.244.1.9", 90, b"?")) == b"bar"


def test_porter_tells_the_method_in_json(network: Network) -> None:
    porter(network, "--json-response", SERVE_PORT_80="<foo>")
    told = get(network, 80, "DELETE")
    assert told.body == b'{"Method":"DELETE","Body":"\\u003cfoo\\u003e"}'
    assert told.header("content-type") == "application/json"


def test_porter_serves_tls_and_tells_who_speaks_none(network: Network, probe: FakeHost) -> None:
    porter(network, SERVE_TLS_PORT_443="secret")
    assert probe.run(AGNHOST, "curl", "-sk", "https://10.244.1.9/").out == "secret"
    assert probe.run(AGNHOST, "curl", "-s", "https://10.244.1.9/").code == 60
    refused = probe.run(AGNHOST, "curl", "-s", "http://10.244.1.9:443/").out
    assert refused == "Client sent an HTTP request to an HTTPS server.\n"


def test_porter_says_what_it_does_not_serve(network: Network) -> None:
    env = {"SERVE_TLS_PORT_443": "x", "CERT_FILE": "/nosuch", "SERVE_SCTP_PORT_91": "y", "SERVE_PORT_70000": "z"}
    _, server = porter(network, **env)
    said = logs(server)
    assert "tls server on port" in said and "open /nosuch: no such file or directory" in said
    assert "Failed to listen SCTP. error: not emulated (port 91)" in said
    assert 'server on port "70000" failed: listen tcp 0.0.0.0:70000: address 70000: invalid port' in said


def test_the_resolvers_configuration_is_printed(network: Network, probe: FakeHost) -> None:
    probe.files["/etc/resolv.conf"] = b"search resolv.conf.local\nnameserver 1.1.1.1\n"
    assert probe.run(AGNHOST, "agnhost", "dns-suffix").out == "resolv.conf.local\n"
    assert probe.run(AGNHOST, "agnhost", "dns-server-list").out == "1.1.1.1\n"
    assert probe.run(AGNHOST, "agnhost", "etc-hosts").out.startswith("127.0.0.1\tlocalhost\n")


def test_entrypoint_tester_prints_its_command_line(probe: FakeHost) -> None:
    assert probe.run(AGNHOST, "/agnhost", "entrypoint-tester", "a", "b").out == "[/agnhost entrypoint-tester a b]\n"


def test_a_subcommand_that_is_not_emulated_says_so(probe: FakeHost) -> None:
    told = probe.run(AGNHOST, "agnhost", "guestbook")
    assert (told.code, told.err) == (1, "Error: the embedded cluster does not emulate agnhost guestbook\n")
    assert 'unknown command "nosuch" for "app"' in probe.run(AGNHOST, "agnhost", "nosuch").err


def test_test_webserver_serves_files_on_the_port_it_is_told(network: Network) -> None:
    host = network.host("files", "10.244.1.9")
    host.files["/results/x"] = b"OK\n"
    host.start(AGNHOST, "test-webserver", "--port=81")
    host.files["/any"] = b"<html>"
    assert get(network, 81).header("content-type") == "text/html; charset=utf-8"
    assert get(network, 81).header("cache-control") == "private"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"  <!-- x", "text/html; charset=utf-8"),
        (b"<abc", "text/plain; charset=utf-8"),
        (b"<?xml version", "text/xml; charset=utf-8"),
        (b"a\x00b", "application/octet-stream"),
    ],
)
def test_a_body_without_a_type_gets_the_one_it_looks_like(body: bytes, kind: str) -> None:
    assert golang.sniffed(body) == kind
