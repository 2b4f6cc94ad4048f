"""Makes servers of a Corefile's blocks, or says why CoreDNS would not.

Source: github.com/coredns/coredns v1.14.2 plugin/*/setup.go; plugin.Error prefixes what they say with `plugin/NAME: `.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.embedded.core.coredns.corefile import Block, CorefileError, Directive, parse
from grader.embedded.core.coredns.rewrite import KINDS, Rule
from grader.embedded.core.coredns.server import Cache, Forward, Hosts, Kubernetes, Question, Server, Upstream
from grader.embedded.core.dns import Zone
from grader.embedded.core.dnsnames import REVERSE_ZONES, PodMode, View, parse_ip

RELOAD_SECONDS = 30.0  # plugin/reload/setup.go: so long a learner's change of the Corefile takes to be read
INERT = frozenset("health ready prometheus loop debug bufsize cancel root nsid pprof minimal".split())
"""Plugins whose absence changes no answer."""


@dataclass(frozen=True)
class Surroundings:
    """What a CoreDNS has around it.

    Attributes:
        view: what it reads of the cluster.
        files: the container's files.
        clock: seconds since the epoch.
        random: the cluster's source of randomness.
        write: writes a line of the log.
        upstream: reaches other servers.

    """

    view: View
    files: Mapping[str, bytes]
    clock: Callable[[], float]
    random: random.Random
    write: Callable[[str], None]
    upstream: Upstream


@dataclass(frozen=True)
class Instance:
    """A Corefile at work.

    Attributes:
        servers: by server key, such as ".:53".
        reload: seconds between looks at the Corefile, None without the plugin reload.
        missing: plugins that it names and that are not emulated.

    """

    servers: dict[str, Server]
    reload: float | None
    missing: tuple[str, ...]

    @property
    def ports(self) -> frozenset[int]:
        """The ports that it serves."""
        return frozenset(int(key.rpartition(":")[2]) for key in self.servers)

    def server_for(self, name: str, port: int) -> Server | None:
        """The server on a port whose zone is the longest that a lower-case name is in."""
        fitting = [s for key, s in self.servers.items() if key.endswith(f":{port}") and _in(s.zone, name)]
        return max(fitting, key=lambda server: len(server.zone), default=None)


def start(text: str, path: str, around: Surroundings) -> Instance:
    """Set up what a Corefile asks for. Raises CorefileError."""
    servers: dict[str, Server] = {}
    reload_: float | None = None
    missing: dict[str, None] = {}
    for block in parse(text, path, around.files):
        keys = [_key(key) for key in block.keys]
        for zone, key in keys:
            if key in servers:
                raise CorefileError(f"cannot serve dns://{key} - it is already defined")
            servers[key] = _server(zone, [z for z, _ in keys], block, path, around)
        for directive in block.directives:
            if directive.name == "reload":
                reload_ = _reload(directive)
            elif directive.name not in PLUGINS and directive.name not in INERT:
                missing[directive.name] = None
    return Instance(servers, reload_, tuple(missing))


def _key(text: str) -> tuple[str, str]:
    """The zone of a server block's key, and the whole key."""
    zone, colon, port = text.removeprefix("dns://").partition(":")
    zone = _name(zone or ".")
    if colon and not port.isdigit():
        raise CorefileError(f'Error during parsing: "{text}": invalid port')
    return zone, f"{zone}:{port if colon else '53'}"


def _name(text: str) -> str:
    return text.lower() if text.endswith(".") else f"{text.lower()}."


def _in(zone: str, name: str) -> bool:
    return zone == "." or name == zone or name.endswith(f".{zone}")


Wrong = Callable[..., CorefileError]


@dataclass(frozen=True)
class _Place:
    """Where a directive stands: the server that it sets up, all zones of its block, whether answers are shuffled."""

    server: Server
    origins: list[str]
    around: Surroundings
    balanced: bool
    path: str

    def ignored(self, directive: Directive, words: tuple[str, ...]) -> None:
        """Tell of something that CoreDNS would do, and that is not done here."""
        self.around.write(f"[WARNING] plugin/{directive.name}: not emulated here: {' '.join(words)}")


def _server(zone: str, origins: list[str], block: Block, path: str, around: Surroundings) -> Server:
    server = Server(zone, around.clock, around.random, around.write, around.upstream)
    balanced = any(directive.name == "loadbalance" for directive in block.directives)
    place = _Place(server, origins, around, balanced, path)
    for directive in block.directives:

        def wrong(text: str, line: int = 0, of: Directive = directive) -> CorefileError:
            where = f"{path}:{line or of.line} - Error during parsing: " if line >= 0 else ""
            return CorefileError(f"plugin/{of.name}: {where}{text}")

        if (set_up := PLUGINS.get(directive.name)) is not None:
            set_up(place, directive, wrong)
    return server


def _errors(at: _Place, directive: Directive, wrong: Wrong) -> None:
    at.server.errors = True
    if directive.args not in {(), ("stdout",)}:
        raise wrong(f"invalid log file: {directive.args[0]}")
    for line, words in directive.block:
        if words[0] not in {"stacktrace", "consolidate"}:
            what = f"Unexpected token '{words[0]}', expecting 'Unknown field {words[0]}'"
            raise wrong(f"{at.path}:{line} - Syntax error: {what}", -1)
        if words[0] == "consolidate":
            at.ignored(directive, words)


def _log(at: _Place, directive: Directive, wrong: Wrong) -> None:
    at.server.logged = tuple(_name(arg) for arg in directive.args if not arg.startswith("{")) or tuple(at.origins)
    for line, words in directive.block:
        if words[0] != "class" or len(words) == 1:
            raise wrong(f"Wrong argument count or unexpected line ending after '{words[-1]}'", line)
        at.server.classes = words[1:]


def _cache(at: _Place, directive: Directive, wrong: Wrong) -> None:
    args = list(directive.args)
    cache = Cache(())
    if args and args[0].isdigit():
        seconds = int(args.pop(0))
        if seconds <= 0:
            raise wrong(f"cache TTL can not be zero or negative: {seconds}", -1)
        cache.success = cache.denial = seconds
    cache.origins = tuple(map(_name, args)) or tuple(at.origins)
    for line, words in directive.block:
        match words:
            case ("disable", "success" | "denial" as what, *zones):
                names = tuple(map(_name, zones)) or (".",)
                cache.success_not, cache.denial_not = (
                    (names, cache.denial_not) if what == "success" else (cache.success_not, names)
                )
            case ("success", _, ttl, *_) if ttl.isdigit():
                cache.success = int(ttl)
            case ("denial", _, ttl, *_) if ttl.isdigit():
                cache.denial = int(ttl)
            case ("success" | "denial", capacity) if capacity.isdigit():
                pass
            case ("prefetch" | "serve_stale" | "servfail" | "keepttl", *_):
                raise wrong(f"'{words[0]}' is not emulated here", line)
            case _:
                raise wrong(f"Wrong argument count or unexpected line ending after '{words[-1]}'", line)
    at.server.cache = cache


def _rewrite(at: _Place, directive: Directive, wrong: Wrong) -> None:
    lines = [directive.args] if directive.args else [words for _, words in directive.block]
    if directive.args and directive.block:  # options of one rule, each on its line
        lines = [(*directive.args, *(word for _, words in directive.block for word in words))]
    rules: list[Rule] = []
    for line in lines:
        words = list(line)
        goes_on = words[0] == "continue"
        if words[0] in ("continue", "stop"):
            words.pop(0)
        if not words or words[0] != "name":
            at.ignored(directive, ("rewrite", *line))
            continue
        words.pop(0)
        if len(words) < 2:
            raise wrong("too few arguments for a name rule", -1)
        kind = "exact" if len(words) == 2 else words.pop(0).lower()
        if kind not in KINDS:
            known = "name rule supports only exact, prefix, suffix, substring, and regex name matching"
            raise wrong(f"{known}, received: {kind}", -1)
        old, new, *options = words
        if options and options != ["answer", "auto"]:
            at.ignored(directive, tuple(options))
        if kind == "regex":
            try:
                re.compile(old)
            except re.error as error:
                raise wrong(f"invalid regex pattern in a name rule: {old} ({error})", -1) from error
        else:
            old = _name(old)
        rules.append(Rule(kind, old, _name(new), goes_on, options == ["answer", "auto"]))
    at.server.rewrites = (*at.server.rewrites, *rules)


def _hosts(at: _Place, directive: Directive, wrong: Wrong) -> None:
    args = list(directive.args)
    path = args.pop(0) if args else "/etc/hosts"
    if path not in at.around.files:
        at.around.write(f"[WARNING] plugin/hosts: File does not exist: {path}")
    lines = [line.split() for line in at.around.files.get(path, b"").decode(errors="replace").splitlines()]
    fall: tuple[str, ...] = ()
    ttl = 3600
    for line, words in directive.block:
        match words:
            case ("fallthrough", *zones):
                fall = tuple(map(_name, zones)) or (".",)
            case ("ttl", number):
                if not number.isdigit():
                    raise wrong("ttl needs a number of second", line)
                ttl = int(number)
                if not 0 < ttl <= 65535:
                    raise wrong("ttl provided is invalid", line)
            case ("no_reverse",) | ("reload", _):
                pass
            case _ if not fall:
                lines.append(list(words))
            case _:
                raise wrong(f"unknown property '{words[0]}'", line)
    entries: dict[str, list[str]] = {}
    for parts in lines:
        if len(parts) > 1 and (ip := parse_ip(parts[0])) is not None:
            for host in parts[1:]:
                if host.startswith("#"):
                    break
                entries.setdefault(_name(host), []).append(str(ip))
    at.server.hosts = Hosts(tuple(map(_name, args)) or tuple(at.origins), entries, fall, ttl)


_FORWARD_INERT = frozenset(
    "max_fails max_connect_attempts health_check force_tcp prefer_udp expire max_idle_conns max_concurrent".split()
)
"""Properties of forward that change no answer of a network that loses nothing (plugin/forward/setup.go)."""
_FORWARD_TOLD = frozenset("tls tls_servername next failfast_all_unhealthy_upstreams failover".split())


def _forward(at: _Place, directive: Directive, wrong: Wrong) -> None:
    if len(directive.args) < 2:
        raise wrong(f"Wrong argument count or unexpected line ending after '{(directive.name, *directive.args)[-1]}'")
    origin, *targets = directive.args
    upstreams = []
    for target in targets:
        if target.startswith("/"):
            continue  # the host's resolv.conf, whose servers are not there
        host = target.removeprefix("dns://").partition(":")[0]
        if parse_ip(host) is None:
            raise wrong(f"not an IP address or file: {target!r}".replace("'", '"'), -1)
        upstreams.append(host)
    excepted: tuple[str, ...] = ()
    for line, words in directive.block:
        match words:
            case ("except", *zones):
                excepted = tuple(map(_name, zones))
            case ("policy", "random" | "round_robin" | "sequential"):
                if len(upstreams) > 1:
                    at.ignored(directive, words)
            case ("policy", unknown):
                raise wrong(f"unknown policy '{unknown}'", line)
            case (name, *_) if name in _FORWARD_INERT:
                pass
            case (name, *_) if name in _FORWARD_TOLD:
                at.ignored(directive, words)
            case _:
                raise wrong(f"unknown property '{words[0]}'", line)
    at.server.forwards = (*at.server.forwards, Forward(_name(origin), tuple(upstreams), excepted))


def _kubernetes(at: _Place, directive: Directive, wrong: Wrong) -> None:
    zones = tuple(map(_name, directive.args)) or tuple(at.origins)
    primary = next((zone for zone in zones if zone not in REVERSE_ZONES), None)
    if primary is None:
        raise wrong("non-reverse zone name must be used", -1)
    pods: PodMode = "disabled"
    ttl, fall = 5, tuple[str, ...]()
    for line, words in directive.block:
        match words:
            case ("pods", "disabled" | "insecure" | "verified" as mode):
                pods = mode
            case ("pods", mode):
                raise wrong(f"wrong value for pods: {mode},  must be one of: disabled, verified, insecure", -1)
            case ("ttl", number):
                if not number.lstrip("-").isdigit():
                    raise wrong(f'strconv.Atoi: parsing "{number}": invalid syntax', -1)
                ttl = int(number)
                if not 0 <= ttl <= 3600:
                    raise wrong(f"ttl must be in range [0, 3600]: {ttl}", line)
            case ("fallthrough", *names):
                fall = tuple(map(_name, names)) or (".",)
            case ("endpoint" | "tls" | "kubeconfig" | "apiserver_qps" | "apiserver_burst" | "startup_timeout", *_):
                pass
            case (
                "endpoint_pod_names"
                | "namespaces"
                | "labels"
                | "namespace_labels"
                | "noendpoints"
                | "ignore"
                | "multicluster",
                *_,
            ):
                at.ignored(directive, words)
            case _:
                raise wrong(f"unknown property '{words[0]}'", line)

    def look_up(name: str, type_: str) -> Question:
        return Question(name, type_)

    shuffled = at.around.random if at.balanced else None
    zone = Zone(
        at.around.view,
        shuffled,
        zones=zones,
        ttl=ttl,
        pods=pods,
        look_up=lambda name, type_: at.server.answer(look_up(name, type_)),
    )
    at.server.kubernetes = Kubernetes(zones, zone, fall)


def _reload(directive: Directive) -> float:
    """The plugin reload's interval in seconds (plugin/reload/setup.go); its jitter is left out."""
    if not directive.args:
        return RELOAD_SECONDS
    number = re.fullmatch(r"(\d+)(s|m)?", directive.args[0])
    if number is None:
        raise CorefileError(f'plugin/reload: time: invalid duration "{directive.args[0]}"')
    seconds = float(number[1]) * (60 if number[2] == "m" else 1)
    if seconds < 2:
        raise CorefileError("plugin/reload: interval value must be greater or equal to 2s")
    return seconds


def _loadbalance(at: _Place, directive: Directive, wrong: Wrong) -> None:
    """What it does is done where the whole block is known; here its properties are read."""
    match directive.args:
        case () | ("round_robin",):
            pass
        case ("round_robin", *_):
            raise wrong("unknown property for round_robin")
        case ("weighted", *_):
            at.ignored(directive, directive.args)
        case (policy, *_):
            raise wrong(f"unknown policy: {policy}", -1)
    for line, words in directive.block:
        if words[0] != ("reload" if directive.args[:1] == ("weighted",) else "prefer"):
            raise wrong(f"unknown property '{words[0]}'", line)
        at.ignored(directive, words)


def _elsewhere(at: _Place, directive: Directive, wrong: Wrong) -> None:
    """Done where the whole file is known."""


PLUGINS: Mapping[str, Callable[[_Place, Directive, Wrong], None]] = {
    "errors": _errors,
    "log": _log,
    "cache": _cache,
    "rewrite": _rewrite,
    "hosts": _hosts,
    "forward": _forward,
    "kubernetes": _kubernetes,
    "loadbalance": _loadbalance,
    "reload": _elsewhere,
}
"""The plugins that are emulated, with what each sets up."""
