"""Reports made by hand, one a verdict, as the judge makes them."""

from __future__ import annotations

from dataclasses import replace

from grader.model.report import CriterionResult, Finding, Hop, HopState, Report, Verdict

HOPS = (Hop.MANIFEST, Hop.SERVICE, Hop.ENDPOINT_SLICE, Hop.DNS, Hop.CLUSTER_IP, Hop.RESPONSE)
TITLE = "バックエンドに安定した宛先を与える"
PODS = "backend-5d9c7-2xk4p:8080, backend-5d9c7-8wq9z:8080, backend-5d9c7-tn6vd:8080"


def chain(stop: Hop | None, state: HopState = HopState.BROKEN) -> tuple[tuple[Hop, HopState], ...]:
    if stop is None:
        return tuple((hop, HopState.HOLDS) for hop in HOPS)
    at = HOPS.index(stop)
    states = [HopState.HOLDS] * at + [state] + [HopState.UNKNOWN] * (len(HOPS) - at - 1)
    return tuple(zip(HOPS, states, strict=True))


def criterion(
    name: str, hop: Hop, finding: Finding, verdict: Verdict, points: float, *, expected: str = "", seen: str = ""
) -> CriterionResult:
    earned = points if verdict is Verdict.PASS else 0.0
    return CriterionResult(name, verdict, earned, points, hop, finding, expected, seen)


REACHED = Finding(
    "reach-name", {"count": "3", "vantages": "別のNamespaceのPod", "service": "backend-service", "port": "80"}
)
LISTED = Finding("endpoints-exact", {"service": "backend-service", "count": "3", "port": "8080"})

MATCHES = Finding("object-matches", {"kind": "Service", "name": "backend-service"})

PASSED = Report(
    exercise="clusterip",
    title=TITLE,
    verdict=Verdict.PASS,
    points=6,
    max_points=6,
    chain=chain(None),
    broken=None,
    finding=REACHED,
    criteria=(
        criterion("endpoints", Hop.ENDPOINT_SLICE, LISTED, Verdict.PASS, 2, expected=PODS, seen=PODS),
        criterion("reach", Hop.RESPONSE, REACHED, Verdict.PASS, 4, expected="3つのPodすべて", seen="3つのPodすべて"),
    ),
    cluster="embedded v1.36.3",
    taken_at="2026-11-22T23:41:05+00:00",
)

REFUSED = Finding(
    "selector-matches-no-pod",
    {"service": "backend-service", "selector": "app=backned", "labels": "app=backend (3個)", "namespace": "clusterip"},
)
FAILED = replace(
    PASSED,
    verdict=Verdict.FAIL,
    points=0.5,
    chain=chain(Hop.ENDPOINT_SLICE),
    broken=Hop.ENDPOINT_SLICE,
    finding=REFUSED,
    criteria=(
        criterion("service", Hop.SERVICE, MATCHES, Verdict.PASS, 0.5,
                  expected="Service/backend-service", seen="Service/backend-service"),
        criterion("endpoints", Hop.ENDPOINT_SLICE, REFUSED, Verdict.FAIL, 1.5, expected=PODS, seen="Podは1つもない"),
        criterion("reach", Hop.RESPONSE, REFUSED, Verdict.FAIL, 4, expected="3つのPodすべて", seen="接続を拒否された"),
    ),
)  # fmt: skip

MOVING = Finding("endpoint-slices-moving", {"service": "backend-service"})
WAITING = replace(
    PASSED,
    verdict=Verdict.NOT_YET,
    points=0,
    chain=chain(Hop.ENDPOINT_SLICE, HopState.MOVING),
    finding=MOVING,
    criteria=(
        criterion("endpoints", Hop.ENDPOINT_SLICE, MOVING, Verdict.NOT_YET, 2, expected=PODS, seen="Podは2つ"),
        criterion("reach", Hop.RESPONSE, MOVING, Verdict.NOT_YET, 4),
    ),
)

BLIND = Finding("cluster-unreachable", {"server": "https://127.0.0.1:6443", "reason": "Connection refused"})
ENVIRONMENT = replace(
    PASSED,
    verdict=Verdict.ENVIRONMENT,
    points=0,
    chain=tuple((hop, HopState.UNKNOWN) for hop in HOPS),
    finding=BLIND,
    criteria=(
        criterion("endpoints", Hop.ENDPOINT_SLICE, BLIND, Verdict.ENVIRONMENT, 2, expected=PODS),
        criterion("reach", Hop.RESPONSE, BLIND, Verdict.ENVIRONMENT, 4),
    ),
)

ALL = (PASSED, FAILED, WAITING, ENVIRONMENT)
