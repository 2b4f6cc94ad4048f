"""What the inventory lists is what each parser takes, and what it does not take is refused or told of."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

import pytest

from grader.embedded.core.api.http.messages import Request, Response, User
from grader.embedded.core.api.kinds.registry import NOT_SERVED
from grader.embedded.core.coredns.corefile import DIRECTIVES, CorefileError
from grader.embedded.core.coredns.setup import Surroundings, start
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.images.catalogue import PROGRAMS
from grader.embedded.core.programs.images.specs import IMAGES
from grader.embedded.core.programs.servers.nginx.conf import Emerg, Files, Reader
from grader.embedded.core.programs.servers.nginx.config import Compiler
from grader.embedded.core.programs.servers.nginx.directives import RULES, Rule
from grader.embedded.core.support.inventory import Part, parts
from tests.embedded.core.api.api_client import Api
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network

PARTS = {part.name: part for part in parts()}
ACCOUNT = User("system:serviceaccount:default:default", ("system:serviceaccounts", "system:authenticated"))
SHELLS = {"ash": ("busybox:1.37", "sh"), "bash": (AGNHOST, "bash"), "dash": ("nginx:1.29", "sh")}


@pytest.fixture
def host() -> FakeHost:
    return Network().host("web", "10.244.1.5")


@pytest.mark.parametrize("part", PARTS.values(), ids=str)
def test_each_name_has_one_state(part: Part) -> None:
    listed = [*part.done, *part.inert, *part.told, *part.refused]
    assert len(listed) == len(set(listed)) > 0


def test_kinds_are_those_of_discovery() -> None:
    api = Api()
    served = set()
    for group in json.loads(api.ask("GET", "/apis").body)["groups"]:
        for version in group["versions"]:
            listed = json.loads(api.ask("GET", f"/apis/{version['groupVersion']}").body)["resources"]
            served |= {entry["kind"] for entry in listed if "/" not in entry["name"]}
    core = json.loads(api.ask("GET", "/api/v1").body)["resources"]
    served |= {entry["kind"] for entry in core if "/" not in entry["name"]}
    assert served == set(PARTS["kinds"].done)


@pytest.mark.parametrize(("group", "kind"), [(group, kind) for group, kinds in NOT_SERVED.items() for kind in kinds])
def test_a_kind_that_is_not_served_is_not_found(group: str, kind: str) -> None:
    path = f"/apis/{group}/v1" if group else "/api/v1"
    answer = Api().ask("GET", f"{path}/{kind.lower()}s")
    assert isinstance(answer, Response)
    assert answer.status == 404
    assert answer.body.startswith(b"404 page not found") or b"the server could not find the requested" in answer.body


def allowed(method: str, path: str) -> bool:
    answer = Api().server.handle(Request(method, path, (), {}, b'{"spec": {}}', ACCOUNT))
    return not isinstance(answer, Response) or answer.status != 403


@pytest.mark.parametrize("right", PARTS["access"].done)
def test_an_account_may_do_what_is_listed(right: str) -> None:
    verb, _, what = right.partition(" ")
    if verb == "get":
        assert allowed("GET", what)
    else:
        plural, _, group = what.partition(".")
        assert allowed("POST", f"/apis/{group}/v1/{plural}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/namespaces/default/pods"),
        ("POST", "/api/v1/namespaces/default/services"),
        ("GET", "/api/v1/nodes"),
        ("GET", "/metrics"),
    ],
)
def test_an_account_may_do_nothing_else(method: str, path: str) -> None:
    assert not allowed(method, path)


def test_images_are_found_by_their_names_and_no_other() -> None:
    assert [name for name in PARTS["images"].done if images.find(name) is None] == []
    assert images.find("example.com/mine") is None


def test_each_program_of_the_catalogue_is_in_an_image_and_can_be_loaded() -> None:
    assert set(PARTS["programs"].done) == set(PROGRAMS)
    for name in PROGRAMS:
        images.load(name)


TAKES_ANYTHING = {
    "true": "POSIX: its arguments are ignored",
    "false": "POSIX: its arguments are ignored",
    "echo": "POSIX: an unknown option is text",
    "printf": "its first argument is the form",
    "printenv": "a name that is no variable",
    "test": "one word that is not empty is true",
    "pause": "pause.c looks for nothing but -v",
    "hello-app": "main.go reads no arguments",
}
"""Programs to which an unknown option is none, or says nothing: with the reason."""


@pytest.mark.parametrize("option", ["--no-such-option", "-Ж"])
@pytest.mark.parametrize("program", sorted(PROGRAMS.keys() - TAKES_ANYTHING.keys()))
def test_a_program_says_so_where_an_option_is_unknown(host: FakeHost, program: str, option: str) -> None:
    image = next(reference for reference, spec in IMAGES.items() if program in spec.programs)
    spec = images.find(image)
    assert spec is not None
    process = images.run(host, spec, [program, option])
    said: list[bytes] = []
    process.on_output(lambda _, data: said.append(data))
    host.kernel.run()
    text = b"".join(said).decode()
    assert process.exit_code or f"the embedded cluster ignores the option {option}" in text
    assert text.strip()


@pytest.mark.parametrize("make", SHELLS)
def test_a_shell_knows_its_words_or_says_that_it_lacks_them(host: FakeHost, make: str) -> None:
    image, shell = SHELLS[make]
    for entry in PARTS["shell"].refused:
        name, _, having = entry.removesuffix(")").partition(" (")
        said = host.run(image, shell, "-c", f"{name} x").err
        known = "the embedded cluster's shell does not have it" in said
        assert known == (make in having.split(", ")), f"{name}: {said}"
    for name in PARTS["shell"].done:
        said = host.run(image, shell, "-c", f"command -V '{name}'").out
        assert ("not found" not in said) or make not in {"ash", "bash"} or name in {"logout", "chdir"}, said


def test_bash_says_that_it_lacks_arithmetic_commands(host: FakeHost) -> None:
    result = host.run(AGNHOST, "bash", "-c", "((1+1)) && echo on")
    assert (result.code, result.both) == (2, "bash: line 1: ((: the embedded cluster's shell does not have it\n")
    assert host.run("busybox:1.37", "sh", "-c", "((echo on))").out == "on\n"


def written(name: str, rule: Rule) -> Iterator[str]:
    """An nginx configuration with one directive in each of its places."""
    count = min(rule.counts) if rule.counts else rule.least
    words = " ".join([name, *(["on"] if rule.flag else ["1"] * count)])
    text = f"{words} {{ }}" if rule.block else f"{words};"
    places = {"m": "{} events {{ }}", "e": "events {{ {} }}", "h": "events {{ }} http {{ {} }}",
              "s": "events {{ }} http {{ server {{ {} }} }}",
              "l": "events {{ }} http {{ server {{ location / {{ {} }} }} }}",
              "u": "events {{ }} http {{ upstream u {{ server 10.0.0.1; {} }} }}"}  # fmt: skip
    for context in rule.contexts:
        if context in places and not (context == "u" and "h" in rule.contexts):  # those of upstreams are few
            yield places[context].format(text)


def notes(conf: str) -> list[str]:
    tree = Reader(Files(lambda path: None, lambda path: [])).text(conf, "/etc/nginx/nginx.conf", "m")
    return [text for _, text in Compiler().build(tree).notes]


def stands_for(listed: str, name: str) -> bool:
    return name == listed or (listed.endswith("*") and name.startswith(listed[:-1]))


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_nginx_directive_is_obeyed_or_told_of(name: str) -> None:
    told = any(stands_for(listed, name) for listed in PARTS["nginx"].told)
    assert told != (name in {*PARTS["nginx"].done, *PARTS["nginx"].inert})
    for rule in RULES[name]:
        for conf in written(name, rule):
            try:
                said = notes(conf)
            except Emerg:
                assert not told, conf
                continue
            assert any(f'ignores the "{name}" directive' in text for text in said) == told, conf


def test_nginx_refuses_what_no_nginx_has() -> None:
    with pytest.raises(Emerg, match=re.escape('unknown directive "nosuch"')):
        notes("events { } http { nosuch on; }")


@pytest.mark.parametrize("name", sorted(DIRECTIVES))
def test_a_plugin_works_or_is_told_of(name: str) -> None:
    around = Surroundings(None, {}, lambda: 0.0, random.Random(1), lambda text: None, None)  # type: ignore[arg-type]
    arguments = {"forward": " . 10.0.0.1"}
    try:
        instance = start(f". {{\n {name}{arguments.get(name, '')}\n}}", "/Corefile", around)
    except CorefileError as error:
        assert name in PARTS["corefile"].done, error
        return
    assert (name in instance.missing) == (name in PARTS["corefile"].told)


@pytest.mark.parametrize(
    ("directive", "said", "refused"),
    [
        ("forward . 10.0.0.1 {\n max_concurrent 1000\n}", "", ""),
        ("forward . 10.0.0.1 {\n policy sequential\n}", "", ""),
        ("forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n}", "not emulated here: policy sequential", ""),
        ("forward . 10.0.0.1 {\n policy odd\n}", "", "unknown policy 'odd'"),
        ("forward . 10.0.0.1 {\n next NXDOMAIN\n}", "not emulated here: next NXDOMAIN", ""),
        ("forward . 10.0.0.1 {\n odd\n}", "", "unknown property 'odd'"),
        ("errors stdout", "", ""),
        ("errors {\n stacktrace\n}", "", ""),
        ("errors {\n consolidate 5m .*\n}", "not emulated here: consolidate 5m .*", ""),
        ("errors {\n odd\n}", "", "Syntax error: Unexpected token 'odd', expecting 'Unknown field odd'"),
        ("loadbalance round_robin", "", ""),
        ("loadbalance weighted /w", "not emulated here: weighted /w", ""),
        ("loadbalance odd", "", "unknown policy: odd"),
        ("loadbalance {\n prefer 10.0.0.0/8\n}", "not emulated here: prefer 10.0.0.0/8", ""),
        ("loadbalance {\n odd\n}", "", "unknown property 'odd'"),
    ],
)
def test_a_plugins_properties_are_done_told_of_or_refused(directive: str, said: str, refused: str) -> None:
    log: list[str] = []
    around = Surroundings(None, {}, lambda: 0.0, random.Random(1), log.append, None)  # type: ignore[arg-type]
    if refused:
        with pytest.raises(CorefileError, match=re.escape(refused)):
            start(f". {{\n {directive}\n}}", "/Corefile", around)
        return
    start(f". {{\n {directive}\n}}", "/Corefile", around)
    assert log == ([f"[WARNING] plugin/{directive.split()[0]}: {said}"] if said else [])
