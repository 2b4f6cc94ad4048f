"""Shapes are those of the real tools in Pods of a kind cluster, and of upstream's source where versions differ."""

from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, Result

NAME = "backend-service.programs.svc.cluster.local"


def sh(host: FakeHost, command: str, image: str = AGNHOST) -> Result:
    return host.run(image, "sh", "-c", command)


@pytest.mark.parametrize(
    ("command", "code", "both"),
    [
        ("curl -s http://backend-service/hostname", 0, "backend-b"),
        ("curl -s backend-service/hostname", 0, "backend-b"),
        ("curl -sS -m 2 http://10.96.178.255/hostname", 7,
         "curl: (7) Failed to connect to 10.96.178.255 port 80 after 0 ms: Could not connect to server\n"),
        ("curl -sS -m 2 http://10.96.200.200/", 28, "curl: (28) Connection timed out after 2000 milliseconds\n"),
        ("curl -sS --connect-timeout 1 http://10.96.200.200/", 28,
         "curl: (28) Failed to connect to 10.96.200.200 port 80 after 1000 ms: Timeout was reached\n"),
        ("curl -sS http://nosuch/", 6, "curl: (6) Could not resolve host: nosuch\n"),
        ("curl -s http://nosuch/", 6, ""),
        ("curl -s -o /dev/null -w '%{http_code} %{remote_ip}:%{remote_port}\\n' http://backend-service/hostname", 0,
         "200 10.96.244.56:80\n"),
        ("curl -s -o /dev/null -w '%{http_code}\\n' -m 2 http://10.96.178.255/", 7, "000\n"),
        ("curl -s -L 'http://backend-service/redirect?location=/hostname'", 0, "backend-b"),
        ("curl -s http://backend-service/hostname http://backend-service/hostname", 0, "backend-bbackend-b"),
        ("curl -s -H 'Connection: close' http://backend-service/hostname backend-service/hostname", 0,
         "backend-bbackend-a"),
        ("curl -s -X POST -d a=b 'http://backend-service/echo?msg=x'", 0, "x"),
        ("curl -fsS 'http://backend-service/echo?msg=x&code=404'", 22,
         "curl: (22) The requested URL returned error: 404\n"),
        ("curl -s -H 'X-Who: me' 'http://backend-service/header?key=x-who'", 0, "me"),
        ("curl -s --resolve web.example:80:10.96.244.56 http://web.example/hostname", 0, "backend-b"),
        ("curl", 2, "curl: try 'curl --help' or 'curl --manual' for more information\n"),
        ("curl --nosuch", 2, "curl: option --nosuch: is unknown\n"
         "curl: try 'curl --help' or 'curl --manual' for more information\n"),
        ("curl foo://x 2>/dev/null", 1, ""),
        ("curl -sk https://backend-service:80/", 35, ""),
    ],
)  # fmt: skip
def test_curl(probe: FakeHost, command: str, code: int, both: str) -> None:
    result = sh(probe, command)
    assert (result.code, result.both) == (code, both)


@pytest.mark.parametrize(
    ("bound", "code", "told"),
    [
        ("10.244.2.4", 0, ""),
        ("host!10.244.2.4", 0, ""),
        ("10.244.9.9", 45, "curl: (45) bind failed with errno 99: Cannot assign requested address\n"),
        ("host!x", 45, "curl: (45) Couldn't bind to 'x'\n"),
        ("eth0", 2, "option --interface: the embedded cluster's curl takes an address, no interface's name"),
    ],
)
def test_curl_comes_from_the_address_that_it_is_told(probe: FakeHost, bound: str, code: int, told: str) -> None:
    done = probe.run(AGNHOST, *f"curl -sS --interface {bound} http://10.244.1.4:8080/hostname".split())
    assert (done.code, done.out) == (code, "" if code else "backend-a")
    assert told in done.err


def test_nc_comes_from_the_address_that_it_is_told(probe: FakeHost) -> None:
    assert probe.run(AGNHOST, *"nc -zv -s 10.244.2.4 10.244.1.4 8080".split()).code == 0
    refused = probe.run(AGNHOST, *"nc -z -s 10.244.9.9 10.244.1.4 8080".split())
    assert (refused.code, refused.err) == (1, "nc: bind failed: Cannot assign requested address\n")
    ignored = probe.run(AGNHOST, *"nc -zu -s 10.244.2.4 10.244.1.4 8081".split())
    assert ignored.err == "nc: the embedded cluster ignores the option -s\n"


def test_curl_verbose_tells_the_whole_exchange(probe: FakeHost) -> None:
    lines = sh(probe, "curl -sv http://backend-service/hostname").err.splitlines()
    assert "*   Trying 10.96.244.56:80..." in lines
    assert "* Connected to backend-service (10.96.244.56) port 80" in lines
    assert lines[lines.index("> GET /hostname HTTP/1.1") + 1 :][:4] == [
        "> Host: backend-service",
        "> User-Agent: curl/8.17.0",
        "> Accept: */*",
        "> ",
    ]
    assert "< HTTP/1.1 200 OK" in lines
    assert "< Content-Length: 9" in lines
    assert lines[-1] == "* Connection #0 to host backend-service left intact"


def test_curl_says_that_it_uses_a_connection_again(probe: FakeHost) -> None:
    result = sh(probe, "curl -sv -o /dev/null -w '%{num_connects} ' http://backend-service/a http://backend-service/b")
    assert "* Reusing existing http: connection with host backend-service" in result.err.splitlines()
    assert result.out == "1 0 "


def test_curl_include_shows_the_head_as_it_came(probe: FakeHost) -> None:
    assert sh(probe, "curl -si http://backend-service/hostname").out.replace("\r\n", "\n") == (
        "HTTP/1.1 200 OK\nDate: Sun, 22 Nov 2026 23:45:36 GMT\nContent-Length: 9\n"
        "Content-Type: text/plain; charset=utf-8\n\nbackend-b"
    )


def test_curl_shows_its_meter_unless_silent(probe: FakeHost) -> None:
    result = sh(probe, "curl http://backend-service/hostname")
    assert result.err.startswith("  % Total    % Received % Xferd  Average Speed")
    assert result.out == "backend-b"


def test_curl_fails_when_the_server_closes_without_an_answer(network: Network, probe: FakeHost) -> None:
    from grader.embedded.core.kernel import Stream

    async def rude(stream: Stream, peer: tuple[str, int]) -> None:
        stream.close()

    network.hosts["10.244.1.4"].listen(9, rude)
    assert sh(probe, "curl -sS http://10.244.1.4:9/") == Result(
        52, "", "curl: (52) Empty reply from server\n", "curl: (52) Empty reply from server\n"
    )


@pytest.mark.parametrize(
    ("command", "code", "both"),
    [
        ("wget -qO- http://backend-service/hostname", 0, "backend-b"),
        ("wget -qO- backend-service/hostname", 0, "backend-b"),
        ("wget -qO- http://nosuch/", 1, "wget: bad address 'nosuch'\n"),
        ("wget -qO- -T 2 http://10.96.178.255/", 1,
         "wget: can't connect to remote host (10.96.178.255): Connection refused\n"),
        ("wget -qO- -T 2 http://10.96.200.200/", 1, "wget: download timed out\n"),
        ("wget --spider http://backend-service/", 0,
         "Connecting to backend-service (10.96.244.56:80)\nremote file exists\n"),
        ("wget -O- 'http://backend-service/echo?msg=x&code=404'", 1,
         "Connecting to backend-service (10.96.244.56:80)\nwget: server returned error: HTTP/1.1 404 Not Found\n"),
        ("wget -q http://backend-service/hostname -O /tmp/x; cat /tmp/x", 0, "backend-b"),
        ("cd /tmp; wget -q http://backend-service/hostname; cat hostname", 0, "backend-b"),
    ],
)  # fmt: skip
def test_busybox_wget(probe: FakeHost, command: str, code: int, both: str) -> None:
    result = sh(probe, command, "busybox:1.37")
    assert (result.code, result.both) == (code, both)


def test_busybox_wget_tells_its_progress(probe: FakeHost) -> None:
    result = sh(probe, "wget -O- http://backend-service/hostname", "busybox:1.37")
    assert result.out == "backend-b"
    assert result.err == (
        "Connecting to backend-service (10.96.244.56:80)\nwriting to stdout\n"
        "-                    100% |********************************|     9  0:00:00 ETA\nwritten to stdout\n"
    )


@pytest.mark.parametrize(
    ("command", "out"),
    [
        (f"dig +short {NAME}", "10.96.244.56\n"),
        ("dig +short +search backend-service", "10.96.244.56\n"),
        ("dig +short backend-service", ""),
        (f"dig +short AAAA {NAME}", ""),
        (f"dig +short SRV _http._tcp.{NAME}", f"0 100 80 {NAME}.\n"),
        (f"dig +short _http._tcp.{NAME} srv", f"0 100 80 {NAME}.\n"),
        ("dig +short -x 10.96.244.56", f"{NAME}.\n"),
        (f"dig @10.96.0.10 +tcp +short {NAME}", "10.96.244.56\n"),
        (
            "dig +noall +answer headless.programs.svc.cluster.local",
            "headless.programs.svc.cluster.local. 30\tIN A\t10.244.1.4\n"
            "headless.programs.svc.cluster.local. 30\tIN A\t10.244.2.3\n",
        ),
    ],
)
def test_dig_short(probe: FakeHost, command: str, out: str) -> None:
    assert sh(probe, command) == Result(0, out, "", out)


def test_dig_full_output(probe: FakeHost) -> None:
    lines = sh(probe, "dig nosuch.programs.svc.cluster.local").out.splitlines()
    assert lines[0] == ""
    assert lines[1].startswith("; <<>> DiG 9.") and lines[1].endswith(" <<>> nosuch.programs.svc.cluster.local")
    assert lines[2] == ";; global options: +cmd"
    assert next(line for line in lines if "status:" in line).startswith(
        ";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: "
    )
    assert ";; flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1" in lines
    assert ";; WARNING: recursion requested but not available" in lines
    assert ";nosuch.programs.svc.cluster.local. IN\tA" in lines
    soa = "cluster.local.\t\t30\tIN\tSOA\tns.dns.cluster.local. hostmaster.cluster.local. 1795391136 7200 1800 86400 30"
    assert lines[lines.index(";; AUTHORITY SECTION:") + 1] == soa
    assert ";; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)" in lines
    assert ";; WHEN: Sun Nov 22 23:45:36 UTC 2026" in lines


@pytest.mark.parametrize(
    "line",
    [
        f";{NAME}. IN A",
        f"{NAME}. 30 IN A 10.96.244.56",
    ],
)
def test_dig_columns_of_long_names(probe: FakeHost, line: str) -> None:
    assert line in sh(probe, f"dig {NAME}").out.splitlines()


def test_dig_columns_of_short_names(probe: FakeHost, network: Network) -> None:
    network.zone["ext.programs.svc.cluster.local.", "CNAME"] = ["example.com."]
    lines = sh(probe, "dig CNAME ext.programs.svc.cluster.local").out.splitlines()
    assert ";ext.programs.svc.cluster.local.\tIN\tCNAME" in lines
    assert "ext.programs.svc.cluster.local.\t30 IN\tCNAME\texample.com." in lines
    assert "56.244.96.10.in-addr.arpa. 30\tIN\tPTR\tbackend-service.programs.svc.cluster.local." in (
        sh(probe, "dig -x 10.96.244.56").out.splitlines()
    )


def test_dig_without_an_answer_from_the_server(probe: FakeHost, network: Network) -> None:
    before = network.clock.now()
    result = sh(probe, "dig @10.96.0.99 +time=1 +tries=1 foo")
    assert network.clock.now() - before == 1.0
    assert result.code == 9
    lines = result.out.splitlines()
    assert lines[0] == ";; communications error to 10.96.0.99#53: timed out"
    assert lines[-1] == ";; no servers could be reached"


def test_busybox_nslookup_tells_every_name_it_tried(probe: FakeHost) -> None:
    result = sh(probe, "nslookup backend-service", "busybox:1.37")
    assert result.code == 1
    assert result.out.startswith("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n")
    assert f"Name:\t{NAME}\nAddress: 10.96.244.56\n" in result.out
    assert "** server can't find backend-service.svc.cluster.local: NXDOMAIN\n" in result.out
    result = sh(probe, f"nslookup {NAME}", "busybox:1.37")
    assert result == Result(
        0,
        f"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\t{NAME}\nAddress: 10.96.244.56\n\n\n",
        "",
        result.out,
    )


@pytest.mark.parametrize("image", ["busybox:1.28", "busybox:1.28.4-glibc", "busybox:1.24"])
def test_nslookup_of_an_old_busybox_uses_the_search_list_and_tells_reverse_names(probe: FakeHost, image: str) -> None:
    probe.network.zone["10.0.96.10.in-addr.arpa.", "PTR"] = ["kube-dns.kube-system.svc.cluster.local."]
    server = "Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"
    found = f"Name:      backend-service\nAddress 1: 10.96.244.56 {NAME}\n"
    assert sh(probe, "nslookup backend-service", image) == Result(0, server + found, "", server + found)
    assert sh(probe, "nslookup headless", image).out == (
        f"{server}Name:      headless\nAddress 1: 10.244.1.4\nAddress 2: 10.244.2.3\n"
    )
    assert sh(probe, "nslookup backend-service | tail -n 1 | awk '{print $3}'", image).out == "10.96.244.56\n"
    assert (
        sh(probe, "nslookup 10.96.244.56", image).out
        == f"{server}{found.replace('backend-service', '10.96.244.56', 1)}"
    )
    assert sh(probe, "nslookup probe", image).out == f"{server}Name:      probe\nAddress 1: 10.244.2.4 probe\n"


def test_nslookup_of_an_old_busybox_fails_with_its_words(probe: FakeHost) -> None:
    probe.network.zone["10.0.96.10.in-addr.arpa.", "PTR"] = ["kube-dns.kube-system.svc.cluster.local."]
    result = sh(probe, "nslookup nosuch", "busybox:1.28")
    assert (result.code, result.err) == (1, "nslookup: can't resolve 'nosuch'\n")
    assert sh(probe, "nslookup nosuch nosuch", "busybox:1.28").both == "nslookup: bad address 'nosuch'\n"
    usage = sh(probe, "nslookup -type=a x", "busybox:1.28")
    assert usage.code == 1
    assert "\nUsage: nslookup [HOST] [SERVER]\n" in usage.err


def test_bind_nslookup_follows_the_search_list(probe: FakeHost) -> None:
    wanting = ";; Got recursion not available from 10.96.0.10\n"
    server = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n"
    found = f"Name:\t{NAME}\nAddress: 10.96.244.56\n"
    assert sh(probe, "nslookup backend-service").out == f"{wanting}{server}{found}{wanting}\n"
    assert sh(probe, "nslookup -type=A backend-service").out == f"{wanting}{server}{found}\n"
    assert sh(probe, "nslookup backend-service 10.96.0.10").out == f"{server}{found}\n"
    result = sh(probe, "nslookup nosuch")
    assert (result.code, result.out) == (1, f"{4 * wanting}{server}** server can't find nosuch: NXDOMAIN\n\n")
    assert sh(probe, "host backend-service").out == f"{NAME} has address 10.96.244.56\n"
    assert sh(probe, "getent hosts backend-service").out == f"10.96.244.56    {NAME}\n"
    assert sh(probe, "getent hosts nosuch").code == 2


@pytest.mark.parametrize(
    ("command", "code", "both"),
    [
        ("nc -zv -w 1 backend-service 80", 0,
         "Connection to backend-service (10.96.244.56) 80 port [tcp/http] succeeded!\n"),
        ("nc -zv -w 1 10.96.178.255 80", 1, "nc: connect to 10.96.178.255 port 80 (tcp) failed: Connection refused\n"),
        ("nc -zv -w 1 10.96.200.200 80", 1,
         "nc: connect to 10.96.200.200 port 80 (tcp) timed out: Operation in progress\n"),
        ("nc -z 10.96.244.56 80", 0, ""),
        ("nc -z -w 1 10.96.178.255 80", 1, ""),
    ],
)  # fmt: skip
def test_nc(probe: FakeHost, command: str, code: int, both: str) -> None:
    result = sh(probe, command)
    assert (result.code, result.both) == (code, both)


def test_nc_carries_a_request_by_hand(probe: FakeHost) -> None:
    result = sh(probe, "printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc 10.96.244.56 80")
    assert result.out.endswith("\r\n\r\nbackend-b")


def test_service_addresses_do_not_answer_ping(probe: FakeHost) -> None:
    result = sh(probe, "ping -c1 -W1 10.96.244.56", "busybox:1.37")
    assert result.code == 1
    assert "1 packets transmitted, 0 packets received, 100% packet loss" in result.out
    assert sh(probe, "ping -c1 10.244.1.4", "busybox:1.37").code == 0
