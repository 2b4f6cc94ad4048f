from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.core.kernel import drive
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.signals import SIGINT, SIGKILL, SIGTERM
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network, Result


def sh(host: FakeHost, script: str, image: str = "busybox:1.37", stdin: str | None = None) -> Result:
    return host.run(image, "sh", "-c", script, stdin=stdin)


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("echo hi", "hi\n"),
        ("echo -n hi; echo ' a  b'", "hi a  b\n"),
        ("a=1; b=$a$a; echo $b \"$b\" '$b'", "11 11 $b\n"),
        ("x='a  b'; echo $x; echo \"$x\"", "a b\na  b\n"),
        ("echo $(echo one; echo two) `echo three`", "one two three\n"),
        ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n"),
        ("for i in $(seq 1 3); do printf '%s,' $i; done", "1,2,3,"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3\n"),
        ("until false; do echo once; break; done", "once\n"),
        ("if [ a = b ]; then echo no; elif true; then echo elif; else echo no; fi", "elif\n"),
        ("case abc in x) echo x;; a*) echo a;; *) echo star;; esac", "a\n"),
        ("true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n"),
        ("! false && echo ok", "ok\n"),
        ("seq 5 | grep -v 3 | wc -l", "4\n"),
        ("printf 'b\\na\\nb\\n' | sort | uniq -c", "      1 a\n      2 b\n"),
        ("(cd /tmp; pwd); pwd", "/tmp\n/\n"),
        ("f() { echo got $1; return 3; }; f x; echo $?", "got x\n3\n"),
        ("echo ${nope:-def} ${nope-} ${HOME:+set} ${#HOME}", "def set 5\n"),
        ("p=/a/b.txt; echo ${p##*/} ${p%.txt} ${p#/} ${p%%/*}x", "b.txt /a/b a/b.txt x\n"),
        ("echo $((2+3*4)) $((7/2)) $((7%3)) $((1<2&&3>2))", "14 3 1 1\n"),
        ("cat <<EOF\nhello $HOSTNAME\nEOF\n", "hello probe\n"),
        ("cat <<'EOF'\n$HOME\nEOF\n", "$HOME\n"),
        ("echo x > /tmp/f; echo y >> /tmp/f; cat /tmp/f; wc -l < /tmp/f", "x\ny\n2\n"),
        ("ls /nosuch 2>/dev/null; echo $?", "1\n"),
        ("nosuch 2>&1 | cat", "sh: nosuch: not found\n"),
        ("exec 2>&1; nosuch; ls /nosuch", "sh: nosuch: not found\nls: /nosuch: No such file or directory\n"),
        ("exec >/tmp/out; echo kept; cat /tmp/out >/tmp/copy; exec >/dev/null; echo gone", ""),
        ("A=1 env | grep ^A=", "A=1\n"),
        ("export B=2; sh -c 'echo $B'", "2\n"),
        ("C=3; sh -c 'echo [$C]'", "[]\n"),
        ("echo a; # comment\necho b", "a\nb\n"),
        ("echo a \\\n b", "a b\n"),
        ('set -- x y z; echo $# $2 "$@"; shift; echo $1', "3 y x y z\ny\n"),
        ("echo 'a b' | while read x y; do echo $y $x; done", "b a\n"),
        ("echo one two | awk '{print $2}'; echo a:b | cut -d: -f2", "two\nb\n"),
        ("echo hello | sed 's/l/L/g; s/o$/0/'", "heLL0\n"),
        ("echo HELLO | tr A-Z a-z | tr -d l", "heo\n"),
        ("echo a b c | xargs -n1 echo x", "x a\nx b\nx c\n"),
        ("seq 100 | head -n 2; seq 100 | tail -1", "1\n2\n100\n"),
        ("yes | head -1", "y\n"),
        ("{ echo a; echo b; } | sort -r", "b\na\n"),
        ("eval 'echo $HOSTNAME'", "probe\n"),
        ("test -f /etc/hosts && echo file; [ -d /etc ] && echo dir", "file\ndir\n"),
        ('[ -n "$HOSTNAME" -a 1 -eq 1 ] && echo and', "and\n"),
        ("sleep 100 & sleep 1; kill $!; wait; echo done", "done\n"),
        ("trap 'echo bye' EXIT; echo hi", "hi\nbye\n"),
        ("echo $?; false; echo $?", "0\n1\n"),
        ("for f in /etc/host*; do echo $f; done", "/etc/hosts\n"),
        ("echo *nothing*", "*nothing*\n"),
        ("IFS=,; v=a,b; set -- $v; echo $2", "b\n"),
        ("hostname; hostname -i", "probe\n10.244.2.4\n"),
        ("x=$(false); echo $?", "1\n"),
        ("command -v sh; type cd", "/usr/bin/sh\ncd is a shell builtin\n"),
        ("printf '%-5s|%03d\\n' ab 7", "ab   |007\n"),
        ("basename /a/b.c .c; dirname /a/b", "b\n/a\n"),
        ("date +%s; date", "1795391136\nSun Nov 22 23:45:36 UTC 2026\n"),
    ],
)
def test_scripts(probe: FakeHost, script: str, out: str) -> None:
    assert sh(probe, script).out == out


@pytest.mark.parametrize(
    ("script", "code", "both"),
    [
        ("exit 3", 3, ""),
        ("false", 1, ""),
        ("nosuch", 127, "sh: nosuch: not found\n"),
        ("/nosuch", 127, "sh: /nosuch: not found\n"),
        ("cat /nosuch", 1, "cat: can't open '/nosuch': No such file or directory\n"),
        ("sleep x", 1, "sleep: invalid number 'x'\n"),
        ("echo 'x", 2, "sh: syntax error: unterminated quoted string\n"),
        ("set -e; false; echo no", 1, ""),
        ("set -e; false || true; if false; then :; fi; echo ok", 0, "ok\n"),
        ("set -u; echo $nope", 2, "sh: nope: parameter not set\n"),
        ("timeout 1 sleep 5", 143, ""),
        ("kill -9 $$; echo no", 137, ""),
        ("seq 3 | grep -q 9", 1, ""),
        ("cat < /nosuch", 1, "sh: can't open /nosuch: no such file\n"),
    ],
)
def test_exit_codes_and_messages(probe: FakeHost, script: str, code: int, both: str) -> None:
    result = sh(probe, script)
    assert (result.code, result.both) == (code, both)


def test_debian_images_complain_as_dash_and_bash_do(probe: FakeHost) -> None:
    assert sh(probe, "nosuch", "nginx:1.29").both == "sh: 1: nosuch: not found\n"
    assert probe.run("nginx:1.29", "bash", "-c", "nosuch").err == "bash: line 1: nosuch: command not found\n"
    assert sh(probe, "timeout 1 sleep 5", "nginx:1.29").code == 124
    assert sh(probe, "cat /nosuch", "nginx:1.29").err == "cat: /nosuch: No such file or directory\n"


def test_a_script_on_standard_input_runs(probe: FakeHost) -> None:
    assert probe.run("busybox", "sh", stdin="x=1\necho $x\nexit 4\n") == Result(4, "1\n", "", "1\n")


def test_programs_read_the_shells_input(probe: FakeHost) -> None:
    assert sh(probe, "cat", stdin="a\nb\n").out == "a\nb\n"
    assert sh(probe, "read a; echo [$a]; cat", stdin="one\ntwo\n").out == "[one]\ntwo\n"


def test_a_loop_of_requests_reaches_every_backend(probe: FakeHost) -> None:
    script = "for i in $(seq 1 6); do curl -s http://backend-service/hostname; echo; done | sort | uniq -c"
    result = sh(probe, script, AGNHOST)
    assert result.out == "      3 backend-a\n      3 backend-b\n"


def test_an_endless_loop_does_not_hold_the_kernel_up(probe: FakeHost, network: Network) -> None:
    spec = images.find("busybox")
    assert spec is not None
    process = images.run(probe, spec, ["sh", "-c", "while true; do :; done"])
    assert network.kernel.run(max_steps=1000) == network.clock.now()
    process.kill(SIGKILL)
    network.kernel.run()
    assert process.exit_code == 137


class Screen:
    """An interactive shell on a terminal."""

    def __init__(self, host: FakeHost, image: str = "busybox:1.37") -> None:
        spec = images.find(image)
        assert spec is not None
        self.host = host
        self.process = images.run(host, spec, ["sh"], stdin=True, tty=True)
        self.shown = b""
        self.process.on_output(self._show)
        host.kernel.run()

    def _show(self, fd: int, data: bytes) -> None:
        assert fd == 1
        self.shown += data

    def type(self, text: str) -> str:
        self.shown = b""
        self.process.feed(text.encode())
        self.host.kernel.run()
        return self.shown.decode()


def test_interactive_shell_prompts_echoes_and_exits(probe: FakeHost) -> None:
    screen = Screen(probe)
    assert screen.shown == b"/ # "
    assert screen.type("echo hi\r") == "echo hi\r\nhi\r\n/ # "
    assert screen.type("cd /tmp\r") == "cd /tmp\r\n/tmp # "
    assert screen.type("nosuch\r") == "nosuch\r\nsh: nosuch: not found\r\n/tmp # "
    assert screen.type("echo $?\r") == "echo $?\r\n127\r\n/tmp # "
    assert screen.type("ecx\x7fho 日\x7f本\r").endswith("\r\n本\r\n/tmp # ")
    assert screen.type("exit 5\r") == "exit 5\r\n"
    assert screen.process.exit_code == 5


def test_interactive_shell_asks_for_more(probe: FakeHost) -> None:
    screen = Screen(probe)
    assert screen.type("for i in 1 2\r") == "for i in 1 2\r\n> "
    assert screen.type("do echo $i; done\r").endswith("1\r\n2\r\n/ # ")


def test_ctrl_c_ends_the_command_and_ctrl_d_the_shell(probe: FakeHost) -> None:
    screen = Screen(probe)
    screen.type("sleep 1000\r")
    assert screen.type("\x03") == "^C\r\n/ # "
    assert screen.type("echo $?\r") == "echo $?\r\n130\r\n/ # "
    assert screen.type("typo\x03") == "typo^C\r\n/ # "
    assert screen.type("echo ok\r") == "echo ok\r\nok\r\n/ # "
    screen.type("cat\r")
    assert screen.type("line\r") == "line\r\nline\r\n"
    assert screen.type("\x04") == "/ # "
    screen.type("\x04")
    assert screen.process.exit_code == 0


def test_arrow_up_brings_the_last_line_back(probe: FakeHost) -> None:
    screen = Screen(probe)
    screen.type("echo one\r")
    assert screen.type("\x1b[A\r") == "echo one\r\none\r\n/ # "


def test_the_first_process_ignores_signals_it_does_not_handle(network: Network) -> None:
    host = network.host("sleeper", "10.244.1.77")
    process = host.start("busybox", command=["sleep", "3600"])
    process.kill(SIGTERM)
    process.kill(SIGINT)
    network.kernel.run()
    assert process.exit_code is None
    assert host.run("busybox", "sh", "-c", "kill 1; ps").out.splitlines()[1].endswith("sleep 3600")
    assert host.run("busybox", "sh", "-c", "kill -9 1").code == 0
    assert drive(network.kernel, network.clock, process.wait()) == 137


def test_a_program_that_is_not_in_the_image_cannot_be_started(probe: FakeHost) -> None:
    with pytest.raises(images.ProgramNotFound, match=r'exec: "curl": executable file not found in \$PATH'):
        probe.run("busybox", "curl", "http://x")
    with pytest.raises(images.ProgramNotFound, match='exec: "/bin/bash": stat /bin/bash: no such file or directory'):
        probe.run("busybox", "/bin/bash")
    with pytest.raises(images.ProgramNotFound):
        probe.run("hashicorp/http-echo:1.0", "sh")


def test_every_catalogued_program_can_be_loaded() -> None:
    from grader.embedded.core.programs.images.catalogue import PROGRAMS

    for name in PROGRAMS:
        assert callable(images.load(name)), name


words = st.text(st.characters(codec="ascii", exclude_characters="\x00\r\n"), max_size=20)


@given(words)
def test_single_quotes_keep_everything(text: str) -> None:
    from tests.embedded.core.programs.fake_host import Network

    host = Network().host("probe", "10.244.2.4")
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert sh(host, f"printf '%s' {quoted}").out == text


@given(st.text(st.sampled_from("ab $`\"'\\(){};|&<>!#=*?[]\n"), max_size=30))
def test_any_text_is_run_or_refused_but_never_breaks_the_shell(script: str) -> None:
    from tests.embedded.core.programs.fake_host import Network

    host = Network().host("probe", "10.244.2.4")
    assert 0 <= sh(host, script).code <= 255
