from __future__ import annotations

import re

import pytest

from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.mounts import Mount, MountedFiles
from grader.embedded.core.programs.signals import SIGQUIT
from grader.paths import content_root
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, curl, logs


def test_the_sites_page_names_every_image_that_can_be_had() -> None:
    page = (content_root() / "site" / "pages" / "embedded.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([^`]+)` \|", page, re.M) == sorted(
        images.repositories(), key=lambda name: page.index(f"| `{name}` |")
    )


@pytest.fixture
def web(network: Network) -> FakeHost:
    return network.host("web", "10.244.2.5")


def test_nginx_serves_its_welcome_page_and_logs(probe: FakeHost, web: FakeHost) -> None:
    process = web.start("nginx:1.29")
    assert "<title>Welcome to nginx!</title>" in curl(probe, "http://10.244.2.5/")
    head = curl(probe, "-I", "http://10.244.2.5/")
    assert "HTTP/1.1 200 OK\r\nServer: nginx/1.29." in head
    assert "Content-Type: text/html\r\nContent-Length: 615\r\n" in head
    missing = curl(probe, "http://10.244.2.5/nosuch")
    assert missing.startswith("<html>\r\n<head><title>404 Not Found</title></head>\r\n")
    text = logs(process)
    assert "/docker-entrypoint.sh: Configuration complete; ready for start up" in text
    assert '10.244.2.4 - - [22/Nov/2026:23:45:36 +0000] "GET / HTTP/1.1" 200 615 "-" "curl/8.17.0" "-"' in text


def test_nginx_serves_what_a_learner_writes(probe: FakeHost, web: FakeHost) -> None:
    web.start("nginx:1.29")
    web.run("nginx:1.29", "sh", "-c", "echo hello from $HOSTNAME > /usr/share/nginx/html/index.html")
    assert curl(probe, "http://10.244.2.5/") == "hello from web\n"
    assert web.run("nginx:1.29", "curl", "-s", "localhost").out == "hello from web\n"


def test_nginx_reads_a_mounted_configuration(probe: FakeHost, web: FakeHost) -> None:
    site = b"server { listen 8080; location / { return 200 'v2\\n'; } }"
    web.files = MountedFiles(web.files, [Mount("/etc/nginx/conf.d", {"site.conf": site})])
    web.start("nginx:1.29")
    assert curl(probe, "http://10.244.2.5:8080/") == "v2\n"
    assert probe.run(AGNHOST, "curl", "-s", "http://10.244.2.5/").code == 7


def test_a_mounted_web_root_hides_the_images(probe: FakeHost, web: FakeHost) -> None:
    web.files = MountedFiles(web.files, [Mount("/usr/share/nginx/html", {"about.html": b"about\n"})])
    web.start("nginx:1.29")
    assert curl(probe, "http://10.244.2.5/about.html") == "about\n"
    assert "403 Forbidden" in curl(probe, "http://10.244.2.5/")


def test_nginx_ends_on_its_stop_signal(network: Network, probe: FakeHost, web: FakeHost) -> None:
    process = web.start("nginx")
    process.kill(SIGQUIT)
    network.kernel.run()
    assert process.exit_code == 0
    assert probe.run(AGNHOST, "curl", "-s", "http://10.244.2.5/").code == 7


def test_httpd_and_http_echo(network: Network, probe: FakeHost, web: FakeHost) -> None:
    web.start("httpd:2.4")
    assert curl(probe, "http://10.244.2.5/") == "<html><body><h1>It works!</h1></body></html>\n"
    network.host("echo", "10.244.2.6").start("hashicorp/http-echo:1.0", "-text=blue", "-listen=:8080")
    assert curl(probe, "http://10.244.2.6:8080/") == "blue\n"


def test_two_servers_on_one_port_of_a_pod_collide(network: Network, web: FakeHost) -> None:
    web.start("nginx")
    second = web.start("nginx")
    assert second.exit_code == 1
    assert "bind() to 0.0.0.0:80 failed (98: Address already in use)" in logs(second)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("nginx", "nginx"),
        ("nginx:1.29", "nginx"),
        ("docker.io/library/nginx:1.29.3-alpine", "nginx"),
        ("nginx:alpine", "nginx"),
        ("busybox:1.36.1-musl", "busybox"),
        ("curlimages/curl:8.10.1", "curl"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.39", "agnhost"),
        ("hashicorp/http-echo:1.0", "http-echo"),
        ("httpd:2.4", "httpd"),
        ("alpine:3.20", "alpine"),
        ("nginx@sha256:0000", "nginx"),
        ("registry.k8s.io/e2e-test-images/glibc-dns-testing:2.0.0", "glibc-dns-testing"),
    ],
)
def test_known_images(reference: str, name: str) -> None:
    spec = images.find(reference)
    assert spec is not None
    assert spec.name == name


@pytest.mark.parametrize(
    "reference",
    ["nginx:nosuchtag", "ngnix", "example.com/nginx:1.29", "registry.k8s.io/e2e-test-images/agnhost:1.0", "mysql:9"],
)
def test_other_images_cannot_be_pulled(reference: str) -> None:
    assert images.find(reference) is None


def test_alpine_variants_have_busybox_tools() -> None:
    spec = images.find("nginx:1.29-alpine")
    assert spec is not None
    assert {"wget", "nslookup", "curl", "nginx"} <= spec.programs
    plain = images.find("nginx:1.29")
    assert plain is not None
    assert "wget" not in plain.programs


def test_curl_image_takes_arguments_as_curls(network: Network, probe: FakeHost) -> None:
    spec = images.find("curlimages/curl")
    assert spec is not None
    argv = spec.command(None, ["-s", "http://backend-service/hostname"])
    assert probe.run("curlimages/curl", *argv).out in {"backend-a", "backend-b"}
    assert probe.run("curlimages/curl", *spec.command(None, ["sh", "-c", "echo $0"])).out == "sh\n"
