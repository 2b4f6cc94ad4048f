from __future__ import annotations

import json

import pytest

from grader.embedded.core.programs.images import running as images
from tests.embedded.core.programs.fake_host import FakeHost, Network, Result, curl, logs


def sh(host: FakeHost, command: str, image: str) -> Result:
    return host.run(image, "sh", "-c", command)


@pytest.fixture
def web(network: Network) -> FakeHost:
    return network.host("web", "10.244.2.5")


@pytest.mark.parametrize(
    ("reference", "name", "version"),
    [
        ("docker.io/library/nginx:1.29", "nginx", "1.29.4"),
        ("index.docker.io/library/nginx:1.29", "nginx", "1.29.4"),
        ("public.ecr.aws/docker/library/busybox:1.36", "busybox", "1.36.0"),
        ("mirror.gcr.io/library/redis", "redis", "8.2.3"),
        ("mirror.gcr.io/curlimages/curl", "curl", "8.17.0"),
        ("k8s.gcr.io/pause:3.9", "pause", "3.9.0"),
        ("k8s.gcr.io/e2e-test-images/agnhost:2.39", "agnhost", "2.39.0"),
        ("gcr.io/google_containers/echoserver:1.4", "echoserver", "1.4.0"),
        ("registry.k8s.io/echoserver:1.10", "echoserver", "1.10.0"),
        ("gcr.io/google-samples/hello-app:2.0", "hello-app", "2.0.0"),
        ("us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0", "hello-app", "1.0.0"),
        ("docker.io/jocatalin/kubernetes-bootcamp:v2", "kubernetes-bootcamp", "2"),
        ("gcr.io/google-samples/kubernetes-bootcamp:v1", "kubernetes-bootcamp", "1"),
        ("registry.k8s.io/nginx-slim:0.27", "nginx", "1.21.6"),
        ("registry.k8s.io/nginx-slim:0.8", "nginx", "1.11.1"),
        ("registry.k8s.io/e2e-test-images/serve-hostname:1.1", "serve_hostname", "1.1.0"),
        ("registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3", "jessie-dnsutils", "1.3.0"),
        ("nicolaka/netshoot", "netshoot", "0.14"),
        ("traefik/whoami:v1.10", "whoami", "1.10.0"),
    ],
)
def test_images_are_known_by_all_their_names(reference: str, name: str, version: str) -> None:
    spec = images.find(reference)
    assert spec is not None
    assert (spec.name, spec.version) == (name, version)


@pytest.mark.parametrize("reference", ["public.ecr.aws/nginx/nginx", "k8s.gcr.io/nginx", "mirror.gcr.io/nginx/nginx"])
def test_a_mirror_has_no_other_images(reference: str) -> None:
    assert images.find(reference) is None


def test_echoserver_tells_what_came(probe: FakeHost, web: FakeHost) -> None:
    web.start("registry.k8s.io/echoserver:1.10")
    assert curl(probe, "http://10.244.2.5:8080/path?a=b") == (
        "\n\nHostname: web\n\nPod Information:\n\t-no pod information available-\n\n"
        "Server values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\n"
        "Request Information:\n\tclient_address=10.244.2.4\n\tmethod=GET\n\treal path=/path?a=b\n\tquery=a=b\n"
        "\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=http://10.244.2.5:8080/path?a=b\n\n"
        "Request Headers:\n\taccept=*/*\n\thost=10.244.2.5:8080\n\tuser-agent=curl/8.17.0\n\n"
        "Request Body:\n\t-no body in request-\n\n"
    )


def test_echoserver_1_4_has_a_text_of_its_own(probe: FakeHost, web: FakeHost) -> None:
    web.start("registry.k8s.io/echoserver:1.4")
    text = curl(probe, "http://10.244.2.5:8080/")
    assert text.startswith("CLIENT VALUES:\nclient_address=10.244.2.4\ncommand=GET\nreal path=/\nquery=nil\n")
    assert text.endswith("user-agent=curl/8.17.0\nBODY:\n-no body in request-")


def test_hello_app(probe: FakeHost, web: FakeHost) -> None:
    process = web.start("gcr.io/google-samples/hello-app:2.0")
    assert curl(probe, "http://10.244.2.5:8080/x") == "Hello, world!\nVersion: 2.0.0\nHostname: web\n"
    assert [line[20:] for line in logs(process).splitlines()] == [
        "Server listening on port 8080", "Serving request: /x",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["1", "2"])
def test_kubernetes_bootcamp(probe: FakeHost, web: FakeHost, version: str) -> None:
    image = f"gcr.io/google-samples/kubernetes-bootcamp:v{version}"
    process = web.start(image)
    assert curl(probe, "http://10.244.2.5:8080/") == f"Hello Kubernetes bootcamp! | Running on: web | v={version}\n"
    assert logs(process).startswith(
        "Kubernetes Bootcamp App Started At: 2026-11-22T23:45:36.000Z | Running On:  web \n\nRunning On: web | Total"
    )
    assert f"v={version}" in sh(web, "cat server.js", image).out
    assert sh(web, "curl -s localhost:8080 | wc -l", image).out == "1\n"


def test_serve_hostname(probe: FakeHost, web: FakeHost) -> None:
    web.start("registry.k8s.io/serve_hostname:v1.4")
    assert curl(probe, "http://10.244.2.5:9376/") == "web"


def test_nginx_slim(probe: FakeHost, web: FakeHost) -> None:
    web.start("registry.k8s.io/nginx-slim:0.24")
    assert "Server: nginx/1.21.6\r\n" in curl(probe, "-I", "http://10.244.2.5/")
    sh(web, "echo $(hostname) > /usr/share/nginx/html/index.html", "registry.k8s.io/nginx-slim:0.24")
    assert sh(web, "curl http://localhost/", "registry.k8s.io/nginx-slim:0.24").out == "web\n"


def test_whoami(probe: FakeHost, web: FakeHost) -> None:
    web.start("traefik/whoami", "-name", "me")
    assert curl(probe, "-H", "x-mine: yes", "http://10.244.2.5/a?b=c") == (
        "Name: me\nHostname: web\nIP: 127.0.0.1\nIP: ::1\nIP: 10.244.2.5\nRemoteAddr: 10.244.2.4:45678\n"
        "GET /a?b=c HTTP/1.1\r\nHost: 10.244.2.5\r\nUser-Agent: curl/8.17.0\r\nAccept: */*\r\nX-Mine: yes\r\n\r\n"
    )
    assert json.loads(curl(probe, "http://10.244.2.5/api"))["hostname"] == "web"
    assert curl(probe, "-X", "POST", "-d", "503", "http://10.244.2.5/health") == ""
    assert curl(probe, "-o", "/dev/null", "-w", "%{http_code}", "http://10.244.2.5/health") == "503"


def test_whoami_reads_its_environment_and_refuses_other_flags(probe: FakeHost, web: FakeHost) -> None:
    web.env["WHOAMI_PORT_NUMBER"] = "8000"
    web.start("traefik/whoami")
    assert curl(probe, "http://10.244.2.5:8000/").startswith("Hostname: web\n")
    refused = web.start("traefik/whoami", "-nosuch")
    assert refused.exit_code == 2
    assert logs(refused).startswith("flag provided but not defined: -nosuch\n")
    assert sh(web, "whoami", "busybox").out == "root\n"


def test_netshoot_has_the_tools_of_the_network(probe: FakeHost) -> None:
    netshoot = "nicolaka/netshoot"
    assert sh(probe, "dig +short backend-service.programs.svc.cluster.local", netshoot).out == "10.96.244.56\n"
    assert sh(probe, "nc -zv 10.96.244.56 80", netshoot).err.endswith("succeeded!\n")
    assert sh(probe, "nslookup backend-service", netshoot).code == 0
    assert sh(probe, "curl -s http://backend-service/hostname", netshoot).out.startswith("backend-")
    assert probe.run(netshoot, "zsh", "-c", "echo hi").out == "hi\n"


def test_the_dns_images_ask_as_glibcs_and_binds_programs_do(probe: FakeHost) -> None:
    jessie = "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3"
    assert sh(probe, "nslookup backend-service", jessie).out == (
        "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n"
        "Name:\tbackend-service.programs.svc.cluster.local\nAddress: 10.96.244.56\n\n"
    )
    testing = "registry.k8s.io/e2e-test-images/glibc-dns-testing:2.0.0"
    command = 'test -n "$(dig +notcp +noall +answer +search backend-service A)" && getent hosts backend-service'
    assert sh(probe, command, testing).out.startswith("10.96.244.56")
