from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from grader.embedded.core.kernel import drive
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.net import http
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, Result


def get(network: Network, path: str, at: tuple[str, int] = ("10.244.2.4", 8080), **query: str) -> http.Response:
    """What the outside sees of a netexec server."""

    async def fetch() -> http.Response:
        stream = await network.host("client", "10.244.9.9").connect(*at)
        target = f"{path}?{urlencode(query)}" if query else path
        return await http.exchange(stream, "GET", target, [("Host", "probe")])

    return drive(network.kernel, network.clock, fetch())


def shell(network: Network, command: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(get(network, "/shell", cmd=command).body)
    return found


def dial(network: Network, **query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(get(network, "/dial", request="hostname", **query).body)
    return found


def test_hostname_clientip_header_and_unknown_paths(network: Network) -> None:
    assert get(network, "/hostname").body == b"probe"
    assert get(network, "/hostName").body == b"probe"
    assert get(network, "/clientip").body == b"10.244.9.9:45678"
    assert get(network, "/serverport").body == b"8080"
    assert get(network, "/readyz").body == b"ok"
    assert get(network, "/healthz").status == 200
    assert get(network, "/header", key="host").body == b""
    assert get(network, "/nothing").body.startswith(b"NOW: 2026-11-22 ")


def test_echo_gives_message_and_code(network: Network) -> None:
    assert (get(network, "/echo", msg="hi", code="404").status, get(network, "/echo", msg="hi").body) == (404, b"hi")
    assert get(network, "/echo", msg="hi", code="x").body == b"argument 'code' must be an integer or empty, got \"x\"\n"


def test_dial_names_who_answered(network: Network) -> None:
    assert dial(network, host="10.96.244.56", port="80", tries="3") == {
        "responses": ["backend-b", "backend-a", "backend-b"]
    }
    assert dial(network, host="backend-service", port="80") == {"responses": ["backend-a"]}
    assert dial(network, host="10.96.244.56", port="http") == {"responses": ["backend-b"]}


def test_dial_tells_refused_from_timeout(network: Network) -> None:
    refused = 'Get "http://10.96.178.255:80/hostname": dial tcp 10.96.178.255:80: connect: connection refused'
    assert dial(network, host="10.96.178.255", port="80", tries="2") == {"errors": [refused, refused]}
    before = network.clock.now()
    late = (
        'Get "http://10.96.200.200:80/hostname": context deadline exceeded '
        "(Client.Timeout exceeded while awaiting headers)"
    )
    assert dial(network, host="10.96.200.200", port="80") == {"errors": [late]}
    assert network.clock.now() - before == 5.0


def test_dial_escapes_json_as_go_does(network: Network) -> None:
    body = get(network, "/dial", request="x", protocol="udp", host="10.96.244.56", port="82").body
    assert body.startswith(b'{"errors":["reading from udp connection failed. err:\'read udp 10.244.2.4:')
    assert b"-\\u003e10.96.244.56:82: i/o timeout'\"]}" in body


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"host": "nosuch", "port": "80"}, "lookup nosuch on 10.96.0.10:53: no such host"),
        ({"host": "10.96.0.1", "port": "99999"}, "address 99999: invalid port"),
        ({"host": "10.96.0.1", "port": "nope"}, "lookup tcp/nope: unknown port"),
    ],
)
def test_dial_refuses_bad_addresses(network: Network, query: dict[str, str], text: str) -> None:
    response = get(network, "/dial", request="hostname", **query)
    assert (response.status, response.body.decode()) == (400, f"host and/or port param are invalid. {text}\n")


def test_dial_udp(network: Network) -> None:
    network.services["10.96.244.56", 81] = [("10.244.1.4", 8081)]
    assert dial(network, host="10.96.244.56", port="81", protocol="udp") == {"responses": ["backend-a"]}


def test_shell_gives_output_and_error(network: Network) -> None:
    assert shell(network, "echo hi; echo no >&2") == {"output": "hi\nno\n"}
    assert shell(network, "true") == {}
    assert shell(network, "false") == {"error": "exit status 1"}
    assert shell(network, "exit 3") == {"error": "exit status 3"}
    assert shell(network, "kill -9 $$") == {"error": "signal: killed"}
    assert shell(network, "timeout 1 sleep 5") == {"error": "exit status 143"}
    assert shell(network, "nosuch") == {"error": "exit status 127", "output": "/bin/sh: nosuch: not found\n"}


def test_shell_runs_curl_and_dig(network: Network) -> None:
    assert shell(network, "curl -s http://backend-service/hostname") == {"output": "backend-b"}
    assert shell(network, "curl -sS -m 2 http://10.96.178.255/")["error"] == "exit status 7"
    assert shell(network, "dig +short backend-service.programs.svc.cluster.local") == {"output": "10.96.244.56\n"}


def test_log_lines_are_klogs(network: Network, probe: FakeHost) -> None:
    server = network.host("other", "10.244.1.9").start(AGNHOST, "netexec")
    lines: list[bytes] = []
    server.on_output(lambda fd, data: lines.append(data))
    get(network, "/hostname", at=("10.244.1.9", 8080))
    assert lines[-1] == b"I1122 23:45:36.000000       1 log.go:244] GET /hostname\n"


def test_netexec_ends_at_once_on_sigterm(network: Network, probe: FakeHost) -> None:
    server = network.host("other", "10.244.1.9").start(AGNHOST, "netexec")
    server.kill()
    network.kernel.run()
    assert server.exit_code == 0
    assert network.hosts["10.244.1.9"].listeners == {}


def test_netexec_delays_its_shutdown_and_is_not_ready_meanwhile(network: Network) -> None:
    server = network.host("other", "10.244.1.9").start(AGNHOST, "netexec", "--delay-shutdown=10")
    server.kill()
    network.kernel.run()
    assert get(network, "/readyz", at=("10.244.1.9", 8080)).status == 503
    assert drive(network.kernel, network.clock, server.wait()) == 0


def test_serve_hostname_and_connect(network: Network, probe: FakeHost) -> None:
    network.host("sh", "10.244.1.8").start(AGNHOST, "serve-hostname")
    assert get(network, "/", at=("10.244.1.8", 9376)).body == b"sh"

    def connect(address: str) -> Result:
        return probe.run(AGNHOST, "/agnhost", "connect", address, "--timeout=3s")

    assert connect("10.96.244.56:80") == Result(0, "", "", "")
    assert connect("10.96.178.255:80").err == "REFUSED\n"
    assert connect("10.96.200.200:80").err == "TIMEOUT\n"
    assert connect("nosuch:80").err == "DNS: lookup nosuch on 10.96.0.10:53: no such host\n"
    assert connect("10.96.178.255").code == 1


def test_pause_says_what_ended_it(network: Network) -> None:
    process = network.host("p", "10.244.1.7").start(AGNHOST)
    process.kill()
    assert drive(network.kernel, network.clock, process.wait()) == 2


def test_default_command_is_pause() -> None:
    spec = images.find(AGNHOST)
    assert spec is not None
    assert spec.command(None, None) == ["/agnhost", "pause"]
    assert spec.command(None, ["netexec"]) == ["/agnhost", "netexec"]
    assert spec.command(["sh"], None) == ["sh"]
