"""What the shells say to what they do not have: texts of BusyBox' ash, dash and bash on a kind cluster."""

from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost

ASH, DASH = "busybox:1.37", "nginx:1.29"


@pytest.mark.parametrize(
    ("command", "ash", "dash"),
    [
        ("set -q; echo on", (2, "sh: set: line 0: illegal option -q\n"), (2, "sh: 1: set: Illegal option -q\n")),
        ("set -o pipefail; false | true; echo $?", (0, "1\n"), (2, "sh: 1: set: Illegal option -o pipefail\n")),
        ("echo hi >&3; echo $?", (0, "sh: 3: Bad file descriptor\n1\n"), (0, "sh: 1: 3: Bad file descriptor\n2\n")),
        ("cat <&3; echo $?", (0, "sh: 3: Bad file descriptor\n1\n"), (0, "sh: 1: 3: Bad file descriptor\n2\n")),
        ("exec 3>/tmp/f; echo hi >&3; cat /tmp/f", (0, "hi\n"), (0, "hi\n")),
        ("(echo out; echo err >&2) 3>&1 1>&2 2>&3 3>&- | sed s/^/piped:/", (0, "out\npiped:err\n"), None),
        ("exec 3</etc/hosts; read -r a b <&3; echo $a", (0, "127.0.0.1\n"), (0, "127.0.0.1\n")),
        ("export -q x; echo on", (2, "sh: export: line 0: illegal option -q\n"),
         (2, "sh: 1: export: Illegal option -q\n")),
        ("unset -q x; echo on", (2, "sh: unset: line 0: illegal option -q\n"),
         (2, "sh: 1: unset: Illegal option -q\n")),
        ("readonly a=1; a=2; echo on", (2, "sh: a: is read only\n"), (2, "sh: 1: a: is read only\n")),
        ("read -q x; echo on", (0, "sh: read: line 0: illegal option -q\non\n"),
         (0, "sh: 1: read: Illegal option -q\non\n")),
        ("read -t 5 x; echo $?", (0, "1\n"), (0, "sh: 1: read: Illegal option -t\n2\n")),
        ("trap 'echo x' NOSUCH; echo on", (0, "sh: trap: line 0: NOSUCH: invalid signal specification\non\n"), None),
        ("fg; echo on", (0, "sh: fg: line 0: No current job\non\n"), (0, "sh: 1: fg: No current job\non\n")),
        ("umask; ulimit", (0, "0022\nunlimited\n"), (0, "0022\nunlimited\n")),
        ("echo $'a\\tb'", (0, "a\tb\n"), (0, "$a\tb\n")),
        ("wait -q; echo on", (0, "sh: wait: line 0: illegal option -q\non\n"),
         (0, "sh: 1: wait: Illegal option -q\non\n")),
        ("cd -P /tmp; pwd -P; cd -q /", (2, "/tmp\nsh: cd: line 0: illegal option -q\n"),
         (2, "/tmp\nsh: 1: cd: Illegal option -q\n")),
        ("rm -f /tmp/c; set -C; echo a > /tmp/c; echo b > /tmp/c; echo $?; echo c >| /tmp/c; cat /tmp/c",
         (0, "sh: can't create /tmp/c: File exists\n1\nc\n"), (0, "sh: 1: cannot create /tmp/c: File exists\n2\nc\n")),
        ("set -f; echo /e*", (0, "/e*\n"), (0, "/e*\n")),
        ("set -a; A=1; env | grep ^A=", (0, "A=1\n"), (0, "A=1\n")),
    ],
)  # fmt: skip
def test_a_shell_refuses_with_its_words(
    probe: FakeHost, command: str, ash: tuple[int, str], dash: tuple[int, str] | None
) -> None:
    result = probe.run(ASH, "sh", "-c", command)
    assert (result.code, result.both) == ash
    if dash is not None:
        result = probe.run(DASH, "sh", "-c", command)
        assert (result.code, result.both) == dash


@pytest.mark.parametrize(
    ("command", "code", "both"),
    [
        ("set -q; echo on", 0, "bash: line 1: set: -q: invalid option\non\n"),
        ("readonly a=1; a=2; echo on", 1, "bash: line 1: a: readonly variable\n"),
        ("set -o pipefail; false | true; echo $?", 0, "1\n"),
        ("echo hi >&3; echo $?", 0, "bash: line 1: 3: Bad file descriptor\n1\n"),
        (
            "rm -f /tmp/c; set -C; echo a > /tmp/c; echo b > /tmp/c",
            1,
            "bash: line 1: /tmp/c: cannot overwrite existing file\n",
        ),
    ],
)
def test_bash_has_words_of_its_own(probe: FakeHost, command: str, code: int, both: str) -> None:
    result = probe.run(AGNHOST, "bash", "-c", command)
    assert (result.code, result.both) == (code, both)


@pytest.mark.parametrize(
    ("image", "argv", "err"),
    [
        (ASH, ["sh", "-q", "-c", "echo ran"], "sh: illegal option -q\n"),
        (ASH, ["sh", "-o", "nosuch", "-c", "echo ran"], "sh: illegal option -o nosuch\n"),
        (DASH, ["sh", "-q", "-c", "echo ran"], "sh: 0: Illegal option -q\n"),
        (DASH, ["sh", "--nosuch", "-c", "echo ran"], "sh: 0: Illegal option --\n"),
        (AGNHOST, ["bash", "-q", "-c", "echo ran"], "bash: -q: invalid option\n"),
    ],
)
def test_a_shell_refuses_its_own_options(probe: FakeHost, image: str, argv: list[str], err: str) -> None:
    result = probe.run(image, *argv)
    assert (result.code, result.both) == (2, err)


def test_options_of_the_shell_hold_in_scripts(probe: FakeHost) -> None:
    assert probe.run(ASH, "sh", "-eo", "pipefail", "-c", "false | true; echo on").code == 1
    assert probe.run(ASH, "sh", "-s", "a", "b", stdin='echo "$@"\n').out == "a b\n"


@pytest.mark.parametrize(
    ("command", "both"),
    [
        ("printf '%d\\n' abc; echo $?", "printf: invalid number 'abc'\n0\n1\n"),
        ("printf '%y\\n' abc; echo $?", "printf: %y: invalid format\n1\n"),
        ("printf '%d %x\\n' 010 0x1f", "8 1f\n"),
    ],
)
def test_printf_tells_what_it_cannot_read(probe: FakeHost, command: str, both: str) -> None:
    assert sorted(probe.run(ASH, "sh", "-c", command).both.splitlines()) == sorted(both.splitlines())


@pytest.mark.parametrize(
    ("command", "ash", "bash", "dash"),
    [
        ("echo {1..3} a{b,c}d", "{1..3} a{b,c}d\n", "1 2 3 abd acd\n", "{1..3} a{b,c}d\n"),
        ("for i in {1..2}; do echo $i; done", "{1..2}\n", "1\n2\n", "{1..2}\n"),
        ('echo "{1..3}" {1}', "{1..3} {1}\n", "{1..3} {1}\n", "{1..3} {1}\n"),
        ("a=hello; echo ${a:1:2} ${a:3} ${a/l/L} ${a//l/L}", "el lo heLlo heLLo\n", "el lo heLlo heLLo\n",
         "sh: 1: Bad substitution\n"),
        ("a=a.b.c; echo ${a/.*/} ${a//./}", "a abc\n", "a abc\n", "sh: 1: Bad substitution\n"),
    ],
)  # fmt: skip
def test_each_shell_expands_what_it_has(probe: FakeHost, command: str, ash: str, bash: str, dash: str) -> None:
    assert probe.run(ASH, "sh", "-c", command).both == ash
    assert probe.run(AGNHOST, "bash", "-c", command).both == bash
    assert probe.run(DASH, "sh", "-c", command).both == dash
