from __future__ import annotations

import pytest

from grader.embedded.core.kernel import drive, sleep
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, Result, curl, logs

BUSYBOX = ["busybox:1.37", "busybox:1.28"]


def sh(host: FakeHost, command: str, image: str = "busybox:1.37") -> Result:
    return host.run(image, "sh", "-c", command)


@pytest.fixture
def box(network: Network) -> FakeHost:
    return network.host("box", "10.244.2.5")


@pytest.mark.parametrize("image", BUSYBOX)
def test_httpd_serves_a_folder(probe: FakeHost, box: FakeHost, image: str) -> None:
    box.files["/www/index.html"] = b"hello from httpd\n"
    process = box.start(image, command=["httpd", "-f", "-v", "-p", "8080", "-h", "/www"])
    assert curl(probe, "http://10.244.2.5:8080/") == "hello from httpd\n"
    head = curl(probe, "-i", "http://10.244.2.5:8080/nosuch")
    assert head.startswith("HTTP/1.1 404 Not Found\r\nDate: ")
    assert head.endswith(
        "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n<BODY><H1>404 Not Found</H1>\n"
        "The requested URL was not found\n</BODY></HTML>\n"
    )
    assert logs(process) == "[::ffff:10.244.2.4]:45678: response:200\n[::ffff:10.244.2.4]:45678: response:404\n"


def test_httpd_goes_into_the_background_without_f(probe: FakeHost, box: FakeHost) -> None:
    box.start("busybox", command=["sh", "-c", "mkdir /w; echo $HOSTNAME > /w/index.html; httpd -h /w; sleep 100"])
    drive(box.kernel, box.network.clock, sleep(1))
    assert curl(probe, "http://10.244.2.5/") == "box\n"


def test_httpd_runs_scripts(probe: FakeHost, box: FakeHost) -> None:
    box.files["/www/cgi-bin/who"] = (
        b'#!/bin/sh\necho "Content-Type: text/plain"\necho\necho "$QUERY_STRING $REMOTE_ADDR"\n'
    )
    box.start("busybox", command=["httpd", "-f", "-h", "/www"])
    assert curl(probe, "http://10.244.2.5/cgi-bin/who?a=b") == "a=b 10.244.2.4\n"


@pytest.mark.parametrize(
    ("command", "err"),
    [
        ("httpd -f -h /nosuch", "httpd: can't change directory to '/nosuch': No such file or directory\n"),
        ("httpd -f -x", "httpd: invalid option -- 'x'\nBusyBox v1.37.0 multi-call binary.\n\nUsage: httpd "),
        ("nc -y", "nc: invalid option -- 'y'\nBusyBox v1.37.0 multi-call binary.\n\nUsage: nc [OPTIONS] HOST PORT"),
        ("nc -l -p x", "nc: bad port 'x'\n"),
        ("nc nosuch 80", "nc: bad address 'nosuch'\n"),
        ("nc -vv empty 80", "nc: empty (10.96.178.255:80): Connection refused\n"),
        ("nc -zv empty 80 && echo open", ""),
    ],
)
def test_busybox_servers_say_what_is_wrong(probe: FakeHost, command: str, err: str) -> None:
    result = sh(probe, command)
    assert result.code == 1
    assert result.err.startswith(err)
    assert result.out == ""


def test_a_second_httpd_on_a_port_fails(box: FakeHost) -> None:
    box.start("busybox", command=["httpd", "-f", "-h", "/tmp"])
    assert sh(box, "httpd -f -h /tmp").err == "httpd: bind: Address already in use\n"


@pytest.mark.parametrize("image", BUSYBOX)
def test_nc_answers_each_connection_with_a_program(probe: FakeHost, box: FakeHost, image: str) -> None:
    answer = 'printf "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\n%s\\n" $HOSTNAME'
    box.start(image, command=["nc", "-lk", "-p", "8080", "-e", "sh", "-c", answer])
    assert [curl(probe, "http://10.244.2.5:8080/") for _ in range(3)] == ["box\n"] * 3


def test_nc_gives_the_program_what_comes(probe: FakeHost, box: FakeHost) -> None:
    box.start("busybox", command=["nc", "-lkp", "9000", "-e", "cat"])
    assert sh(probe, "echo hello | nc -w 1 10.244.2.5 9000").out == "hello\n"


def test_nc_without_k_takes_one_connection(probe: FakeHost, box: FakeHost) -> None:
    process = box.start("busybox", command=["nc", "-l", "-v", "-p", "9000"])
    assert sh(probe, "echo one | nc -w 1 10.244.2.5 9000").code == 0
    assert process.exit_code == 0
    assert logs(process) == (
        "listening on [::]:9000 ...\n"
        "connect to [::ffff:10.244.2.5]:9000 from [::ffff:10.244.2.4]:45678 ([::ffff:10.244.2.4]:45678)\none\n"
    )
    assert sh(probe, "echo two | nc -vv 10.244.2.5 9000").code == 1


def test_a_loop_around_nc_is_a_web_server(probe: FakeHost, box: FakeHost) -> None:
    loop = 'while true; do echo -e "HTTP/1.1 200 OK\\n\\nhi" | nc -l -p 8080; done'
    box.start("busybox", command=["sh", "-c", loop])
    assert [curl(probe, "http://10.244.2.5:8080/") for _ in range(2)] == ["hi\n", "hi\n"]


def test_nc_takes_datagrams(probe: FakeHost, box: FakeHost) -> None:
    process = box.start("busybox", command=["sh", "-c", "echo pong | nc -u -l -p 5353"])
    assert sh(probe, "echo ping | nc -u -w 1 10.244.2.5 5353").out == "pong\n"
    assert logs(process) == "ping\n"


@pytest.mark.parametrize("options", ["-zvt -w 2", "-v -t -z -w 2", "-zv4n"])
def test_openbsds_nc_takes_its_options(probe: FakeHost, options: str) -> None:
    result = sh(probe, f"nc {options} 10.96.244.56 80", AGNHOST)
    said = "Connection to 10.96.244.56 80 port [tcp/http] succeeded!\n"
    assert result == Result(0, "", said, said)


def test_openbsds_nc_refuses_what_it_does_not_know(probe: FakeHost) -> None:
    result = sh(probe, "nc -e sh 10.96.244.56 80", AGNHOST)
    assert result.code == 1
    assert result.err.startswith("nc: unrecognized option: e\nusage: nc [-46CDdFhklNnrStUuvZz]")
    assert sh(probe, "nc -z 10.96.244.56 abc", AGNHOST).err == "nc: port number invalid: abc\n"
