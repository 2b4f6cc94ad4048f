from __future__ import annotations

import json
from collections import Counter

import pytest

from grader.embedded.core.kernel import Address, Stream, drive, sleep
from grader.embedded.core.programs.process import Process
from tests.embedded.core.programs.fake_host import FakeHost, Network, curl, logs


@pytest.fixture
def web(network: Network) -> FakeHost:
    return network.host("web", "10.244.2.5")


def serve(web: FakeHost, conf: str) -> Process:
    """Start nginx with one site; the C library looks names up in virtual time."""
    web.files |= {"/etc/nginx/conf.d/site.conf": conf.encode(), "/etc/nginx/conf.d/default.conf": b""}
    process = web.start("nginx:1.29")
    drive(web.kernel, web.network.clock, sleep(0))
    return process


def sent(probe: FakeHost, *args: str) -> dict[str, list[str]]:
    """The headers that the backend got."""
    found: dict[str, list[str]] = json.loads(curl(probe, *args, "http://10.244.2.5/header"))
    return found


def test_requests_are_handed_on_to_a_service_by_name(probe: FakeHost, web: FakeHost) -> None:
    process = serve(
        web, "upstream shelf { server backend-service; }\nserver { listen 80; location / { proxy_pass http://shelf; } }"
    )
    assert curl(probe, "http://10.244.2.5/hostname") in {"backend-a", "backend-b"}
    head = curl(probe, "-i", "http://10.244.2.5/echo?msg=hello")
    assert head.startswith("HTTP/1.1 200 OK\r\nServer: nginx/1.29.")
    assert head.count("Server:") == head.count("Date:") == 1
    assert head.endswith("\r\n\r\nhello")
    assert '"GET /hostname HTTP/1.1" 200 9 "-" "curl/8.17.0" "-"' in logs(process)


def test_a_name_that_there_is_not_stops_the_start(web: FakeHost) -> None:
    process = serve(web, "server {\n  location / { proxy_pass http://nosuch; }\n}")
    assert process.exit_code == 1
    text = 'host not found in upstream "nosuch" in /etc/nginx/conf.d/site.conf:2'
    assert f"2026/11/22 23:45:36 [emerg] 1#1: {text}\nnginx: [emerg] {text}\n" in logs(process)


def test_names_are_resolved_once(probe: FakeHost, web: FakeHost, network: Network) -> None:
    serve(web, "server { location / { proxy_pass http://headless:8080; } }")
    network.zone["headless.programs.svc.cluster.local.", "A"] = ["10.244.9.9"]
    assert {curl(probe, "http://10.244.2.5/hostname") for _ in range(4)} == {"backend-a", "backend-b"}


def test_a_variable_is_resolved_by_the_resolver_without_a_search_list(
    probe: FakeHost, web: FakeHost, network: Network
) -> None:
    process = serve(
        web,
        "resolver 10.96.0.10 valid=5s;\nserver { set $there backend-service.programs.svc.cluster.local;"
        " location / { proxy_pass http://$there; } location /short { proxy_pass http://$arg_name; } }",
    )
    assert curl(probe, "http://10.244.2.5/hostname") in {"backend-a", "backend-b"}
    assert "<title>502 Bad Gateway</title>" in curl(probe, "http://10.244.2.5/short?name=backend-service")
    assert "backend-service could not be resolved (3: Host not found), client: 10.244.2.4" in logs(process)


def test_a_variable_without_resolver_is_a_bad_gateway(probe: FakeHost, web: FakeHost) -> None:
    process = serve(web, "server { set $there backend-service; location / { proxy_pass http://$there; } }")
    assert "502 Bad Gateway" in curl(probe, "http://10.244.2.5/")
    assert "no resolver defined to resolve backend-service, client: " in logs(process)


def test_the_backend_sees_the_upstreams_name_and_what_is_set(probe: FakeHost, web: FakeHost) -> None:
    serve(
        web,
        "server { location / { proxy_pass http://backend-service; proxy_set_header X-Real-IP $remote_addr;"
        " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Host $proxy_host;"
        ' proxy_set_header Accept ""; } }',
    )
    assert sent(probe, "-H", "X-Forwarded-For: 1.2.3.4") == {
        "Connection": ["close"],
        "User-Agent": ["curl/8.17.0"],
        "X-Forwarded-For": ["1.2.3.4, 10.244.2.4"],
        "X-Host": ["backend-service"],
        "X-Real-Ip": ["10.244.2.4"],
    }


@pytest.mark.parametrize(
    ("location", "url", "asked", "got"),
    [
        ("/api/", "http://backend-service/", "/api/echo?msg=x%20y", "x y"),
        ("/api/", "http://backend-service/echo?msg=", "/api/five", "five"),
        ("/echo", "http://backend-service", "/echo?msg=a%2Fb", "a/b"),
        ("~ ^/echo", "http://backend-service", "/echo?msg=re", "re"),
        ("= /echo", "http://backend-service/hostName", "/echo?msg=no", "backend-"),
    ],
)
def test_the_uri_of_proxy_pass_replaces_the_locations_name(
    probe: FakeHost, web: FakeHost, location: str, url: str, asked: str, got: str
) -> None:
    serve(web, f"server {{ location {location} {{ proxy_pass {url}; }} }}")
    assert curl(probe, f"http://10.244.2.5{asked}").startswith(got)


def test_rewrite_strips_a_prefix(probe: FakeHost, web: FakeHost) -> None:
    serve(web, "server { location /api { rewrite ^/api/(.*)$ /$1 break; proxy_pass http://backend-service; } }")
    assert curl(probe, "http://10.244.2.5/api/echo?msg=there") == "there"


def test_servers_take_turns_by_their_weight(probe: FakeHost, web: FakeHost) -> None:
    serve(
        web,
        "upstream u { server 10.244.1.4:8080 weight=3; server 10.244.2.3:8080; }"
        "server { location / { proxy_pass http://u; } }",
    )
    assert Counter(curl(probe, "http://10.244.2.5/hostname") for _ in range(8)) == {"backend-a": 6, "backend-b": 2}


def test_a_server_that_refuses_is_passed_over_then_left_out(probe: FakeHost, web: FakeHost) -> None:
    process = serve(
        web,
        "upstream u { server 10.244.1.4:81; server 10.244.2.3:8080; } server { location / { proxy_pass http://u; } }",
    )
    assert [curl(probe, "http://10.244.2.5/hostname") for _ in range(3)] == ["backend-b"] * 3
    assert logs(process).count("connect() failed (111: Connection refused) while connecting to upstream") == 1


def test_a_refused_connection_is_a_bad_gateway(probe: FakeHost, web: FakeHost) -> None:
    process = serve(web, "server { server_name x; location / { proxy_pass http://empty; } }")
    assert curl(probe, "-o", "/dev/null", "-w", "%{http_code}", "http://10.244.2.5/") == "502"
    assert (
        "[error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.244.2.4,"
        ' server: x, request: "GET / HTTP/1.1", upstream: "http://10.96.178.255:80/", host: "10.244.2.5"'
    ) in logs(process)


def test_silence_is_a_gateway_timeout(probe: FakeHost, web: FakeHost, network: Network) -> None:
    async def silent(stream: Stream, peer: Address) -> None:
        await sleep(1000)

    network.host("silent", "10.244.2.9").listen(80, silent)
    process = serve(web, "server { location / { proxy_pass http://10.244.2.9; proxy_read_timeout 5s; } }")
    before = network.clock.now()
    assert "<h1>504 Gateway Time-out</h1>" in curl(probe, "http://10.244.2.5/")
    assert 5 <= network.clock.now() - before < 6
    assert "upstream timed out (110: Operation timed out) while reading response header" in logs(process)


def test_redirects_of_the_upstream_come_back_through_nginx(probe: FakeHost, web: FakeHost) -> None:
    serve(web, "server { location / { proxy_pass http://backend-service; } }")
    head = curl(probe, "-i", "http://10.244.2.5/redirect?location=http://backend-service/hostname")
    assert "\r\nLocation: http://10.244.2.5/hostname\r\n" in head


def test_the_default_error_page_answers_for_an_upstream_that_is_away(probe: FakeHost, web: FakeHost) -> None:
    serve(
        web,
        "server { error_page 502 /50x.html; location = /50x.html { root /usr/share/nginx/html; }"
        " location / { proxy_pass http://empty; } }",
    )
    shown = curl(probe, "-i", "http://10.244.2.5/")
    assert shown.startswith("HTTP/1.1 502 Bad Gateway")
    assert "An error occurred." in shown


@pytest.mark.parametrize(
    ("conf", "text"),
    [
        ("foo bar;", 'unknown directive "foo" in F:1'),
        ("upstream a { server nosuch:8080; }", 'host not found in upstream "nosuch:8080" in F:1'),
        ("upstream a { }", "no servers are inside upstream in F:1"),
        ("upstream a { server 1.2.3.4 wieght=3; }", 'invalid parameter "wieght=3" in F:1'),
        ("upstream a { server 1.2.3.4; } upstream a { server 1.2.3.4; }", 'duplicate upstream "a" in F:1'),
        (
            "upstream a { server 1.2.3.4; } server { location / { proxy_pass http://a:80; } }",
            'upstream "a" may not have port 80 in F:1',
        ),
        ("server { location / { proxy_pass nosuch; } }", "invalid URL prefix in F:1"),
        ("server { location / { proxy_pass http://; } }", 'no host in upstream "" in F:1'),
        ("server { location / { proxy_pass http://1.2.3.4:0; } }", 'invalid port in upstream "1.2.3.4:0" in F:1'),
        ("server { location / { proxy_pass http://1.2.3.4 } }", 'unexpected "}" in F:1'),
        ("server {\n location / { return 200; }", 'unexpected end of file, expecting "}" in F:2'),
        ("server { listen 80; } }", 'unexpected "}" in F:1'),
        ("server { listen 80", 'unexpected end of file, expecting ";" or "}" in F:1'),
        ("server { proxy_pass http://1.2.3.4; }", '"proxy_pass" directive is not allowed here in F:1'),
        ("server { listen; }", 'invalid number of arguments in "listen" directive in F:1'),
        ("server { listen abc; }", 'host not found in "abc" of the "listen" directive in F:1'),
        ("server { listen 80; listen 80; }", "a duplicate listen 0.0.0.0:80 in F:1"),
        ("server { location / { return 200 $nosuch; } }", 'unknown "nosuch" variable'),
        ("server { location / { root a; root b; } }", '"root" directive is duplicate in F:1'),
        ("server { location / { } location / { } }", 'duplicate location "/" in F:1'),
        ('server { location / { "a"b; } }', 'unexpected "b" in F:1'),
        ("server { proxy_connect_timeout x; location / { proxy_pass http://1.2.3.4; } }",
         '"proxy_connect_timeout" directive invalid value in F:1'),
        ("server { sendfile maybe; }",
         'invalid value "maybe" in "sendfile" directive, it must be "on" or "off" in F:1'),
        ("include nosuch.conf;", 'open() "/etc/nginx/nosuch.conf" failed (2: No such file or directory) in F:1'),
        ("server { resolver nosuch; }", 'host not found in resolver "nosuch" in F:1'),
        ("server { location ~ ( { } }", 'pcre2_compile() failed: missing ), unterminated subpattern in "(" in F:1'),
    ],
)  # fmt: skip
def test_what_nginx_refuses_is_refused_with_its_words(web: FakeHost, conf: str, text: str) -> None:
    web.files |= {"/etc/nginx/conf.d/site.conf": conf.encode(), "/etc/nginx/conf.d/default.conf": b""}
    tested = web.run("nginx:1.29", "nginx", "-t")
    assert tested.code == 1
    assert f"nginx: [emerg] {text.replace('F:', '/etc/nginx/conf.d/site.conf:')}\n" in tested.err
    assert tested.err.endswith("nginx: configuration file /etc/nginx/nginx.conf test failed\n")


def test_what_is_not_emulated_is_said_to_be_ignored_and_what_is_harmless_is_not(web: FakeHost) -> None:
    process = serve(
        web, 'gzip on;\nserver { listen 443 ssl; tcp_nopush on;\n location / { auth_basic "x"; return 200 ok; } }'
    )
    text = logs(process)
    said = "[warn] 1#1: the embedded cluster ignores the "
    assert f'{said}"auth_basic" directive in /etc/nginx/conf.d/site.conf:3\n' in text
    assert f'{said}"ssl" parameter of "listen" in /etc/nginx/conf.d/site.conf:2\n' in text
    assert "gzip" not in text
    assert "tcp_nopush" not in text


def test_maps_and_conditions_choose(probe: FakeHost, web: FakeHost) -> None:
    serve(
        web,
        "map $http_x_kind $answer { default plain; ~^a alpha; b beta; }\n"
        "server { if ($request_method = DELETE) { return 403; } location / { return 200 $answer; } }",
    )
    asked = [["-H", "X-Kind: abc"], ["-H", "X-Kind: b"], []]
    assert [curl(probe, *args, "http://10.244.2.5/") for args in asked] == ["alpha", "beta", "plain"]
    assert "403 Forbidden" in curl(probe, "-X", "DELETE", "http://10.244.2.5/")


def test_servers_are_chosen_by_name(probe: FakeHost, web: FakeHost) -> None:
    serve(
        web,
        "server { return 404; }\nserver { server_name a.example; return 200 a; }\n"
        "server { server_name *.b.example; return 200 b; }",
    )
    asked = ["a.example", "x.b.example", "c.example"]
    shown = [curl(probe, "-H", f"Host: {name}", "http://10.244.2.5/") for name in asked]
    assert shown[:2] == ["a", "b"]
    assert "404 Not Found" in shown[2]


def test_a_reload_reads_the_configuration_again(probe: FakeHost, web: FakeHost, network: Network) -> None:
    process = serve(web, "server { return 200 old; }")
    web.files["/etc/nginx/conf.d/site.conf"] = b"server { return 200 new; }"
    assert curl(probe, "http://10.244.2.5/") == "old"
    assert web.run("nginx:1.29", "nginx", "-s", "reload").code == 0
    assert curl(probe, "http://10.244.2.5/") == "new"
    web.files["/etc/nginx/conf.d/site.conf"] = b"server { retrun 200 newer; }"
    assert web.run("nginx:1.29", "nginx", "-s", "reload").code == 1
    assert curl(probe, "http://10.244.2.5/") == "new"
    assert process.exit_code is None


def test_nginx_in_the_background_ends_the_container(web: FakeHost) -> None:
    assert web.start("nginx:1.29", command=["nginx"]).exit_code == 0


def test_templates_get_the_environment(probe: FakeHost, web: FakeHost) -> None:
    web.env["BACKEND"] = "backend-service"
    template = b"server { location / { proxy_pass http://${BACKEND}; proxy_set_header X-A $remote_addr; } }"
    web.files["/etc/nginx/templates/default.conf.template"] = template
    serve(web, "")
    assert sent(probe)["X-A"] == ["10.244.2.4"]
