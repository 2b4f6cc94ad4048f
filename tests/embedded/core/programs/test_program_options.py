"""Programs refuse options that they do not have, and do not pass over those that they take."""

from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost

BUSYBOX, ALPINE, DEBIAN = "busybox:1.37", "alpine", "nginx:1.29"
FILTERS = (
    "cat ls touch rm cp mv mkdir tee pwd env hostname date seq uname id timeout nproc which head tail wc sort uniq"
)
FILTERS += " grep cut tr sed xargs"


@pytest.mark.parametrize("program", FILTERS.split())
@pytest.mark.parametrize(
    ("image", "said"),
    [(BUSYBOX, "invalid option -- 'j'"), (ALPINE, "unrecognized option: j"), (DEBIAN, "invalid option -- 'j'")],
)
def test_an_unknown_option_is_refused(probe: FakeHost, program: str, image: str, said: str) -> None:
    result = probe.run(image, program, "-j", stdin="")
    assert result.code in {1, 2, 125}
    assert result.out == ""
    first, *rest = result.err.splitlines()
    assert first == f"{program}: {said}"
    hint = f"Try '{program} --help' for more information."
    assert hint in rest if image == DEBIAN else any(line.startswith("Usage: ") for line in rest)


@pytest.mark.parametrize("program", ["grep", "sort", "head", "cut"])
def test_an_unknown_long_option_is_refused(probe: FakeHost, program: str) -> None:
    result = probe.run(DEBIAN, program, "--nosuch", stdin="")
    assert result.err.startswith(f"{program}: unrecognized option '--nosuch'\n")


@pytest.mark.parametrize(
    ("command", "image", "code", "err"),
    [
        ("ping -j 127.0.0.1", BUSYBOX, 1, "ping: invalid option -- 'j'\n"),
        ("nslookup -nosuch x", BUSYBOX, 1, "nslookup: unrecognized option '--nosuch'\n"),
        ("host -z x", AGNHOST, 1, "host: illegal option -- z\n"),
        ("dig +trace x", AGNHOST, 1, "Invalid option: +trace\n"),
        ("curl -x http://p:1 http://x", AGNHOST, 2, "curl: option -x: the embedded cluster's curl does not have it\n"),
        ("curl --cookie-jar f http://x", AGNHOST, 2, "curl: option --cookie-jar: the embedded cluster's curl"),
        ("ip neigh", BUSYBOX, 1, "ip: invalid argument 'neigh' to 'ip'\n"),
        ("ip route get 1.2.3.4", BUSYBOX, 2, "ip: the embedded cluster has no 'ip route get 1.2.3.4'\n"),
        ("netstat -r", BUSYBOX, 1, "netstat: invalid option -- 'r'\n"),
        ("hostname other", BUSYBOX, 1, "hostname: sethostname: Operation not permitted\n"),
        ("date -d tomorrow", DEBIAN, 1, "date: invalid date 'tomorrow'\n"),
        ("id nosuch", BUSYBOX, 1, "id: unknown user nosuch\n"),
        ("echo a | tr '[:nosuch:]' x", BUSYBOX, 1, "tr: invalid character class 'nosuch'\n"),
        ("echo a | sed s/a/b/z", BUSYBOX, 1, "sed: unknown option to s command"),
        ("echo a | sed 'd;px'", BUSYBOX, 1, "sed: extra characters after command"),
        ("echo 1 | awk '{print $1+1}'", BUSYBOX, 2, "awk: this program is beyond the emulated awk"),
        ("head -n x /etc/hosts", BUSYBOX, 1, "head: invalid number 'x'\n"),
        ("cp /etc /tmp/x", DEBIAN, 1, "cp: -r not specified; omitting directory '/etc'\n"),
        ("wget --method=PUT http://x", BUSYBOX, 1, "wget: unrecognized option '--method=PUT'\n"),
    ],
)
def test_what_is_not_done_is_refused(probe: FakeHost, command: str, image: str, code: int, err: str) -> None:
    result = probe.run(image, "sh", "-c", command)
    assert (result.code, result.out if "dig" not in command else "") == (code, "")
    assert result.err.startswith(err)


@pytest.mark.parametrize(
    ("command", "out"),
    [
        ("printf '3 a\\n1 b\\n2 a\\n' | sort -k2,2 -k1,1nr", "3 a\n2 a\n1 b\n"),
        ("printf 'v1.10\\nv1.9\\n' | sort -V", "v1.9\nv1.10\n"),
        ("printf 'b\\na\\n' | sort -o /tmp/o; cat /tmp/o", "a\nb\n"),
        ("printf 'A\\na\\nb\\n' | uniq -ic", "      2 A\n      1 b\n"),
        ("seq 8 10 | head -n -1", "8\n9\n"),
        ("seq -w 9 10", "09\n10\n"),
        ("seq -s , 3", "1,2,3\n"),
        ("echo a-a-a | sed 's/a/b/2'", "a-b-a\n"),
        ("echo a-a-a | sed 's/a/b/2g'", "a-b-b\n"),
        ("printf 'a b\\0c\\0' | xargs -0 -n 1 echo x", "x a b\nx c\n"),
        ("echo 'a1!' | tr -d '[:punct:][:digit:]'", "a\n"),
        ("echo x | awk -v n=5 '{print n, $1}'", "5 x\n"),
        ("printf 'a\\tb\\r\\n' | cat -A", "a^Ib^M$\n"),
        ("mkdir -p /d/e; echo 1 > /d/e/f; cp -r /d /g; cat /g/e/f; mv /g /h; ls /h", "1\ne\n"),
        ("date -u -d @0 +%Y", "1970\n"),
        ("A=1 B=2 env -u A sh -c 'echo $A$B'", "2\n"),
        ("mkdir /r; echo x > /r/a; echo y > /r/b; grep -r x /r; grep -L x /r/a /r/b", "/r/a:x\n/r/b\n"),
        ("ip link | grep -c inet", "0\n"),
        ("wget -q -P /tmp http://backend-service/hostname; cut -c 1-8 /tmp/hostname", "backend-\n"),
    ],
)
def test_what_is_taken_is_done(probe: FakeHost, command: str, out: str) -> None:
    assert probe.run(BUSYBOX, "sh", "-c", command).both == out


def test_curl_says_what_it_is_told_to(probe: FakeHost) -> None:
    shown = probe.run(AGNHOST, "sh", "-c", "curl -s -e http://from/ 'http://backend-service/header?key=Referer'").out
    assert shown == "http://from/"
    command = "curl -s --data-urlencode 'msg=a b&c' http://backend-service/echo"
    assert probe.run(AGNHOST, "sh", "-c", command).out == "a b&c"


def test_busybox_1_28s_timeout_has_its_time_in_an_option(probe: FakeHost) -> None:
    assert probe.run("busybox:1.28", "timeout", "-t", "1", "sleep", "5").code == 143


@pytest.mark.parametrize(
    ("command", "busybox", "debian"),
    [
        ("basename -s .x /a/b.x", "b\n", "b\n"),
        ("basename -a /a/b c", "b\nc\n", "b\nc\n"),
        ("basename /a/b.x .x", "b\n", "b\n"),
        ("dirname --nosuch", ".\n",
         "dirname: unrecognized option '--nosuch'\nTry 'dirname --help' for more information.\n"),
        ("clear -q", "\x1b[H\x1b[J", "clear: invalid option -- 'q'\nUsage: clear [options]\n"),
        ("yes -j | head -n 1", "-j\n", "yes: invalid option -- 'j'\nTry 'yes --help' for more information.\n"),
    ],
)  # fmt: skip
def test_options_are_those_of_the_programs_make(probe: FakeHost, command: str, busybox: str, debian: str) -> None:
    assert probe.run(BUSYBOX, "sh", "-c", command).both == busybox
    assert probe.run(DEBIAN, "sh", "-c", command).both == debian
