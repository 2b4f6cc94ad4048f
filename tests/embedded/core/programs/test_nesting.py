"""Text that is nested without end fails the program that reads it, and nothing else."""

from __future__ import annotations

import pytest

from grader.embedded.core.programs.mounts import TOO_DEEP
from tests.embedded.core.programs.fake_host import FakeHost, Result

MANY = 100_000
SEGFAULT = 139


def sh(host: FakeHost, script: str, image: str = "busybox:1.37") -> Result:
    return host.run(image, "sh", "-c", script)


@pytest.mark.parametrize("image", ["busybox:1.37", "nginx:1.29"])
@pytest.mark.parametrize(
    "script",
    [
        "(" * MANY,
        "( " * MANY + "true" + " )" * MANY,
        "{ " * MANY,
        "if true; then " * MANY,
        "while false; do " * MANY,
        "case a in a) " * MANY,
        "echo $((" + "(" * MANY + "1" + ")" * MANY + "))",
        "echo $((" + "-(" * 1000 + "1" + ")" * 1000 + "))",
        "echo $((" + "1?" * 5000 + "1" + ":1" * 5000 + "))",
        "echo " + "$(" * MANY,
        "echo " + "${a:-" * MANY + "}" * MANY,
        'echo "' + "${a:-" * MANY + "}" * MANY + '"',
    ],
    ids=lambda script: script[:12],
)
def test_a_script_that_is_nested_without_end_ends_its_shell(probe: FakeHost, image: str, script: str) -> None:
    result = sh(probe, script, image)
    assert (result.code, result.err) == (SEGFAULT, f"sh: {TOO_DEEP}\n")
    assert sh(probe, "echo well", image).out == "well\n"


@pytest.mark.parametrize(
    ("image", "code", "said"),
    [
        ("busybox:1.37", SEGFAULT, TOO_DEEP),
        ("nginx:1.29", 2, "Maximum function recursion depth (1000) reached"),
    ],
)
def test_a_function_that_calls_itself_without_end_ends_its_shell(
    probe: FakeHost, image: str, code: int, said: str
) -> None:
    result = sh(probe, "f() { f; }; f; echo after", image)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


@pytest.mark.parametrize("image", ["busybox:1.37", "nginx:1.29"])
def test_functions_call_each_other_hundreds_of_times(probe: FakeHost, image: str) -> None:
    script = 'f() { if [ $1 = 0 ]; then echo end; else f $(($1 - 1)); fi; }; f 500; g() { [ "$1" = 0 ] || g 0; }; g 1'
    assert sh(probe, script, image).out == "end\n"
    assert sh(probe, "f() { if [ $1 = 0 ]; then return 7; fi; f $(($1 - 1)); }; f 200; echo $?", image).out == "7\n"
    assert sh(probe, "f() { [ $1 = 0 ] && exit 3; f $(($1 - 1)); }; f 200", image).code == 3


@pytest.mark.parametrize(
    "script",
    [
        'a=\'eval "$a"\'; eval "$a"',
        "echo '. /tmp/x' > /tmp/x; . /tmp/x",
        'export A=\'sh -c "$A"\'; sh -c "$A"',
        "f() { echo $(f); }; f",
        "f() { f | f; }; f",
        "f() { f & f; }; f",
    ],
)
def test_what_starts_itself_without_end_comes_to_an_end(probe: FakeHost, script: str) -> None:
    sh(probe, script)
    assert sh(probe, "echo well").out == "well\n"


@pytest.mark.parametrize(
    "argv",
    [
        ["awk", "{print " + "(" * MANY + "}"],
        ["awk", "{" * MANY],
        ["sed", "-e", "{" * MANY],
        ["grep", "-E", "(" * MANY],
        ["grep", "-E", "(" * 5000 + "a" + ")" * 5000],
        ["sed", "-e", "s/" + "\\(" * 5000 + "a" + "\\)" * 5000 + "/b/"],
        ["test", *["!"] * 1000, "a"],
        ["test", *["("] * 1000, "a", *[")"] * 1000],
        ["find", "/tmp", *["("] * 5000, "-name", "a", *[")"] * 5000],
        ["find", "/tmp", *["!"] * 5000, "-name", "a"],
        ["env", *["env"] * 5000, "true"],
        ["timeout", *["1", "timeout"] * 500, "1", "true"],
        ["xargs", *["xargs"] * 5000, "true"],
        ["sh", *["-c", "sh"] * 5000],
    ],
    ids=lambda argv: " ".join(argv)[:16],
)
@pytest.mark.parametrize("image", ["busybox:1.37", "nginx:1.29"])
def test_a_program_whose_text_is_nested_without_end_fails_alone(probe: FakeHost, image: str, argv: list[str]) -> None:
    probe.run(image, *argv, stdin="a\n")
    assert sh(probe, "echo well", image).out == "well\n"


def test_a_configuration_of_nginx_that_includes_itself_is_refused(probe: FakeHost) -> None:
    probe.files["/etc/nginx/nginx.conf"] = b"include nginx.conf;"
    result = probe.run("nginx:1.29", "nginx", "-t")
    assert result.code == 1
    assert 'open() "/etc/nginx/nginx.conf" failed (24: Too many open files)' in result.err


def test_a_configuration_of_nginx_that_is_nested_without_end_is_not_read(probe: FakeHost) -> None:
    probe.files["/etc/nginx/nginx.conf"] = b"events {} http { server {" + b"location / {" * MANY
    assert probe.run("nginx:1.29", "nginx", "-t").code == SEGFAULT
