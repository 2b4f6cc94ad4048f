"""kube-proxy as a container shows it: the lines of its start, its health and its mode. What it does is in `proxy.py`.

Sources: k8s.io/kubernetes/cmd/kube-proxy/app/server.go, pkg/proxy/healthcheck/proxy_health.go; lines and answers seen
on kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from grader.embedded.core.programs.net.http import Request, Responder, Response, date
from grader.embedded.core.store import Obj

HEALTH_PORT, METRICS_PORT = 10256, 10249
CONFIG = "/var/lib/kube-proxy/config.conf"
GONE = "ToBeDeletedByClusterAutoscaler"
_INFORMERS = ("service config", "endpoint slice config", "serviceCIDR config", "node config")
_START = (
    ("shared_informer.go:402", '"Waiting for caches to sync"'),
    ("shared_informer.go:409", '"Caches are synced"'),
    ("server.go:228", '"Successfully retrieved NodeIPs" NodeIPs=["{ip}"]'),
    ("sysctls.go:191", '"Set sysctl" entry="net/netfilter/nf_conntrack_tcp_timeout_established" value=86400'),
    ("sysctls.go:191", '"Set sysctl" entry="net/netfilter/nf_conntrack_tcp_timeout_close_wait" value=3600'),
    ("server_linux.go:114", '"Kernel support disabled for family" ipFamily="IPv6"'),
    ("server.go:276", '"kube-proxy running in single-stack mode" ipFamily="IPv4"'),
    ("server_linux.go:137", '"Using iptables Proxier"'),
    ("server.go:539", '"Version info" version="v1.36.3"'),
    ("server.go:541", '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""'),
    ("config.go:200", '"Starting service config controller"'),
    ("config.go:106", '"Starting endpoint slice config controller"'),
    ("config.go:403", '"Starting serviceCIDR config controller"'),
    ("config.go:309", '"Starting node config controller"'),
    *(("shared_informer.go:388", f'"Caches are synced" controller="{name}"') for name in _INFORMERS),
)


def klog(level: str, now: float, where: str, text: str) -> str:
    """A line as k8s.io/klog writes it."""
    return f"{level}{datetime.fromtimestamp(now, UTC):%m%d %H:%M:%S.%f}       1 {where}] {text}"


def start_lines(now: float, ip: str, config: str) -> list[str]:
    """What kube-proxy logs when it starts.

    Args:
        now: seconds since the epoch.
        ip: the node's address.
        config: its configuration file.

    """
    lines = [klog("I", now, where, text.format(ip=ip)) for where, text in _START]
    mode = re.search(r'^mode: *"?([a-z]*)', config, re.MULTILINE)
    if mode and mode[1] not in ("", "iptables"):
        text = f'"Not emulated by the embedded cluster, which goes on as in mode iptables" mode="{mode[1]}"'
        lines.append(klog("E", now, "server_linux.go:137", text))
    return lines


def health(now: Callable[[], float], synced: float, node: Callable[[], Obj | None]) -> Callable[[str], Response]:
    """What the health server answers to a path.

    Args:
        now: seconds since the epoch.
        synced: when the rules were last written, likewise.
        node: the Node as it is stored.

    """

    def answer(path: str) -> Response:
        if path not in ("/healthz", "/livez"):
            return _not_found()
        told = node()
        taints = (told or {}).get("spec", {}).get("taints") or ()
        eligible = told is not None and "deletionTimestamp" not in told["metadata"]
        eligible = eligible and all(taint["key"] != GONE for taint in taints)
        moment = _nano(now())
        body: dict[str, object] = {"lastUpdated": moment, "currentTime": moment}
        if path == "/healthz":
            body["nodeEligible"] = eligible
        body |= {"healthy": True, "status": {"IPv4": {"lastUpdated": _nano(synced), "healthy": True}}}
        text = json.dumps(body, separators=(",", ":")).encode()
        return _plain(text, 200 if eligible or path == "/livez" else 503, "application/json")

    return answer


def metrics(path: str) -> Response:
    """What the metrics server answers to a path; the metrics themselves are not emulated."""
    return {"/proxyMode": _plain(b"iptables"), "/healthz": _plain(b"ok")}.get(path) or _not_found()


def responder(answer: Callable[[str], Response], now: Callable[[], float]) -> Responder:
    """Answer requests by their path alone."""

    async def respond(request: Request) -> Response:
        response = answer(request.target.partition("?")[0])
        response.headers.append(("Date", date(now())))
        return response

    return respond


def _plain(body: bytes, status: int = 200, type_: str = "text/plain; charset=utf-8") -> Response:
    return Response(status, body, [("Content-Type", type_), ("X-Content-Type-Options", "nosniff")])


def _not_found() -> Response:
    return _plain(b"404 page not found\n", 404)


def _nano(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
