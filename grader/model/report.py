"""The Report: what the judge concluded from Evidence. Rendering needs nothing else, and knows no Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What is told to a learner, about a criterion or a whole exercise."""

    PASS = "pass"
    FAIL = "fail"
    NOT_YET = "not-yet"
    ENVIRONMENT = "environment-error"

    @property
    def exit_status(self) -> int:
        """Exit status of `grader check`: 0 pass, 1 fail, 3 not yet, 4 environment error."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.NOT_YET: 3, Verdict.ENVIRONMENT: 4}[self]


class Hop(StrEnum):
    """A station on the way from a manifest to an answer, in the order in which traffic depends on them."""

    GROUND = "ground"  # on the way only where it is broken
    MANIFEST = "manifest"
    SERVICE = "service"
    VARIABLES = "variables"
    ENDPOINT_SLICE = "endpoint-slice"
    DNS = "dns"
    CLUSTER_IP = "cluster-ip"
    NODE = "node"
    OUTSIDE_CLIENT = "outside-client"
    LEARNER_HOST = "learner-host"
    RESPONSE = "response"


class HopState(StrEnum):
    """What is known of one hop."""

    HOLDS = "holds"
    BROKEN = "broken"
    MOVING = "moving"  # still converging
    UNKNOWN = "unknown"  # after the broken hop, or not observed


class Waits(StrEnum):
    """What a verdict that is not yet due waits for."""

    OBJECTS = "objects"  # controllers are at work on slices and workloads
    PODS = "pods"  # kubelets ask Pods whether they are ready
    LOAD_BALANCER = "load-balancer"  # an address is assigned
    QUESTIONS = "questions"  # nothing could be asked yet
    TRAFFIC = "traffic"  # kube-proxy may still serve the rules of before
    CALL = "call"  # the same, and DNS, for a name that is called
    NAMES = "names"  # DNS may not have seen the objects yet
    SILENCE = "silence"  # that nobody answers is watched
    CONTROL = "control"  # nothing explains a silence: a Service of our own is asked beside it

    @property
    def lags(self) -> bool:
        """Whether the objects are done, and only what follows them lags behind."""
        return self in (Waits.TRAFFIC, Waits.CALL, Waits.NAMES, Waits.SILENCE, Waits.CONTROL)


@dataclass(frozen=True)
class Finding:
    """A cause, or what a pass proved.

    Attributes:
        diagnosis: key in a catalogue of `text/ja`: diagnoses, environment, or proofs (passes).
        facts: values that the message names.
    """

    diagnosis: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CriterionResult:
    """The verdict on one criterion.

    Attributes:
        id: the criterion's id in exercise.yaml.
        verdict: its verdict.
        points: points earned.
        max_points: points possible.
        hop: the hop that this criterion is about.
        finding: cause of a failure, or what a pass proved.
        expected: what should be seen, for a person.
        seen: what was seen, for a person.
        subject: the object that it is about: "backend-service", "ConfigMap client-config".
        waits_for: what a verdict that is not yet due waits for, None for any other verdict.
        aspect: what of that object it is about: "STOCK_URL", "ポート80".
    """

    id: str
    verdict: Verdict
    points: float
    max_points: float
    hop: Hop
    finding: Finding
    expected: str
    seen: str
    subject: str = ""
    waits_for: Waits | None = None
    aspect: str = ""


@dataclass(frozen=True)
class HostUrl:
    """Where the learner's own machine reaches a node port.

    Attributes:
        service: the Service.
        node_port: the node port.
        url: "http://127.0.0.1:30080".
    """

    service: str
    node_port: int
    url: str

    @property
    def elsewhere(self) -> bool:
        """Whether the port on this machine is another one: somebody else holds that of the same number."""
        return not self.url.endswith(f":{self.node_port}")


@dataclass(frozen=True)
class Report:
    """The verdict on one exercise.

    Attributes:
        exercise: exercise id.
        title: exercise title, in Japanese.
        verdict: FAIL if a criterion failed; else ENVIRONMENT, NOT_YET if one is; else PASS.
        points: points earned.
        max_points: points possible.
        chain: the hops that this exercise walks, in order, each with its state.
        broken: the first hop that fails, None on a pass.
        finding: the one cause to show first (or the proof, on a pass).
        criteria: one result a criterion, in the order of exercise.yaml.
        cluster: provider and Kubernetes version, for a person ("embedded v1.36.3").
        taken_at: when the Evidence was complete, RFC 3339.
        inert: fields that the cluster stores without any effect (Evidence.inert).
        urls: where the learner's own machine reaches node ports of the exercise's Services.
        namespace: the exercise's Namespace, for commands that look at it; "" where it bears the exercise's id.
    """

    exercise: str
    title: str
    verdict: Verdict
    points: float
    max_points: float
    chain: tuple[tuple[Hop, HopState], ...]
    broken: Hop | None
    finding: Finding
    criteria: tuple[CriterionResult, ...]
    cluster: str
    taken_at: str
    inert: tuple[str, ...] = ()
    namespace: str = ""
    urls: tuple[HostUrl, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Read what `to_json` wrote. Raises KeyError or ValueError where it is not such an object."""
        criteria = tuple(
            CriterionResult(
                **{
                    **item,
                    "verdict": Verdict(item["verdict"]),
                    "hop": Hop(item["hop"]),
                    "finding": Finding(**item["finding"]),
                    "waits_for": Waits(item["waits_for"]) if item.get("waits_for") else None,
                }
            )
            for item in data["criteria"]
        )
        return cls(
            **{
                **data,
                "verdict": Verdict(data["verdict"]),
                "chain": tuple((Hop(hop), HopState(state)) for hop, state in data["chain"]),
                "broken": Hop(data["broken"]) if data["broken"] else None,
                "finding": Finding(**data["finding"]),
                "criteria": criteria,
                "inert": tuple(data.get("inert", ())),
                "urls": tuple(HostUrl(**item) for item in data.get("urls", ())),
            }
        )
