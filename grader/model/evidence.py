"""Evidence: what was observed of a cluster for one exercise. Frozen, JSON, judged again later with the same Report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from grader.model.ground import Ground
from grader.model.objects import Objects
from grader.model.objects import RawObject as RawObject


class Action(StrEnum):
    """What became of one manifest."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Outcome(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    REFUSED = "refused"  # the connection was refused or reset
    TIMEOUT = "timeout"  # nothing came back, while the vantage itself did answer
    NAME_ERROR = "name-error"  # the name could not be resolved
    BAD_RESPONSE = "bad-response"  # something answered, but not as a backend does
    UNASKED = "unasked"  # the vantage could not ask; a Problem says why


@dataclass(frozen=True)
class ManifestResult:
    """What the API server said of one object of a manifest.

    Attributes:
        line: line of the text where the object's document begins, from 1.
        kind: its kind.
        name: its metadata.name ("" where it has none).
        namespace: where it was sent ("" for a cluster-scoped kind).
        action: what became of it.
        status: the server's Status object where it was refused, with `details.causes[].{field,reason,message}`; a
            refusal by the grader itself (hostile input) has the same shape.
        warnings: the server's Warning headers.
    """

    line: int
    kind: str
    name: str
    namespace: str
    action: Action
    status: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DnsQuestion:
    """A DNS question.

    Attributes:
        vantage: "same-namespace", "other-namespace".
        name: with a trailing dot as it is, otherwise through the search list.
        type: record type.
    """

    vantage: str
    name: str
    type: str


@dataclass(frozen=True)
class DnsAnswer:
    """What the DNS server said.

    Attributes:
        question: what was asked.
        outcome: ANSWERED for any response code, TIMEOUT, UNASKED.
        rcode: "NOERROR", "NXDOMAIN", ..., "" without an answer.
        records: record data of the asked type, sorted, without duplicates.
        owner: the name the answer is about (shows which entry of the search list matched), "" without records.
    """

    question: DnsQuestion
    outcome: Outcome
    rcode: str = ""
    records: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True)
class ReachQuestion:
    """Who answers at an address.

    Attributes:
        vantage: "same-namespace", "other-namespace", "node/NAME", "outside-client", "learner-host".
        host: name or address.
        port: port number there.
        want: host names that are expected to answer; asking ends early once all of them have.
        bound: most tries.
        request: what is asked of whoever answers: "hostname", or "clientip" for the client's address as seen there.
        least: fewest tries, each of which looks the name up anew: a name may stand for several addresses.
    """

    vantage: str
    host: str
    port: int
    want: tuple[str, ...] = ()
    bound: int = 1
    request: str = "hostname"
    least: int = 1


@dataclass(frozen=True)
class ReachAnswer:
    """Who answered, over fresh connections.

    Attributes:
        question: what was asked.
        outcome: of the tries that failed, the first one's; ANSWERED where every try was answered.
        responders: host name (or client address, as asked) → how many tries it answered.
        tries: how many connections were made.
        error: text of the first failure, "" without one.
    """

    question: ReachQuestion
    outcome: Outcome
    responders: Mapping[str, int] = field(default_factory=dict)
    tries: int = 1
    error: str = ""


@dataclass(frozen=True)
class ShellQuestion:
    """A command of the grader's own, run where a question is asked from.

    Attributes:
        vantage: as in ReachQuestion, or "pod/NAME:PORT" for a Pod of the exercise that serves netexec at that port.
        command: "env", "hostname -i".
    """

    vantage: str
    command: str


@dataclass(frozen=True)
class ShellAnswer:
    """What a command printed.

    Attributes:
        question: what was asked.
        outcome: ANSWERED, TIMEOUT, BAD_RESPONSE, UNASKED.
        output: what it printed.
    """

    question: ShellQuestion
    outcome: Outcome
    output: str = ""


@dataclass(frozen=True)
class Problem:
    """Something in the environment that is not the learner's doing.

    Attributes:
        code: key in `text/ja/environment.yaml`.
        facts: values that the message names.
        vantage: the vantage it blinds, "" where it is about the cluster as a whole.
        fatal: nothing can be judged because of it.
    """

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)
    vantage: str = ""
    fatal: bool = False


Answer = TypeVar("Answer", ReachAnswer, DnsAnswer)


@dataclass(frozen=True)
class Compared(Generic[Answer]):
    """How a Service of our own was answered at an address of the shape that is asked of the learner's.

    Attributes:
        answer: the answer.
        steady: seconds for which it was answered as it must be, every time; not positive: for which it never was.
    """

    answer: Answer
    steady: float

    @property
    def right(self) -> bool:
        """Whether it was answered as it must be."""
        return self.steady > 0.0


@dataclass(frozen=True)
class Controls:
    """A Service of our own in our own Namespace, asked just before the questions of the exercise.

    Attributes:
        service: that Service, None where it could not be made.
        age: seconds since it was made.
        reach: who answered at its addresses, from our own Namespace and from the vantages of the exercise.
        dns: what its name stands for, likewise.
        reason: why it could not be made.
    """

    service: RawObject | None
    age: float = 0.0
    reach: tuple[Compared[ReachAnswer], ...] = ()
    dns: tuple[Compared[DnsAnswer], ...] = ()
    reason: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Controls:
        """Read what `dataclasses.asdict` made of it. Raises as `Evidence.from_json`."""
        reach = tuple(Compared(_reach(item["answer"]), item["steady"]) for item in data["reach"])
        dns = tuple(Compared(_dns(item["answer"]), item["steady"]) for item in data["dns"])
        return cls(**{**data, "reach": reach, "dns": dns})


@dataclass(frozen=True)
class Evidence:
    """Everything that a verdict rests on.

    Attributes:
        exercise: exercise id.
        namespace: the exercise's namespace.
        cluster: provider and Kubernetes version, for a person.
        taken_at: RFC 3339, when the last answer came in.
        manifests: what the API server said, where this check applied a manifest.
        unreadable: facts (line, column, reason) where that manifest could not be read, else None.
        objects: the objects of the exercise's Namespaces, and the nodes.
        dns: answers to DNS questions.
        reach: answers to reach questions.
        shell: answers to commands.
        problems: what was wrong with the environment.
        host_ports: node port → address on the learner's host.
        quiet_for: seconds for which the objects had not changed when the answers came in.
        pace: how long this cluster's data plane and DNS may lag behind the objects, relative to kind: 1.0.
        ground: what `start` or `reset` laid; None where nothing is known of it.
        controls: how a Service of our own was answered; None where it was not asked.
        inert: fields of these objects that the cluster stores without any effect: "Deployment/web spec.hostPID".
    """

    exercise: str
    namespace: str
    cluster: str
    taken_at: str
    manifests: tuple[ManifestResult, ...] = ()
    unreadable: Mapping[str, str] | None = None
    objects: Objects = field(default_factory=Objects)
    dns: tuple[DnsAnswer, ...] = ()
    reach: tuple[ReachAnswer, ...] = ()
    shell: tuple[ShellAnswer, ...] = ()
    problems: tuple[Problem, ...] = ()
    host_ports: Mapping[int, str] = field(default_factory=dict)
    quiet_for: float = 0.0
    pace: float = 1.0
    ground: Ground | None = None
    controls: Controls | None = None
    inert: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Turn it into a JSON object; `from_json` reads it back equal."""
        data = asdict(self)
        data["host_ports"] = {str(port): address for port, address in self.host_ports.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evidence:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it is not such an object."""
        return cls(
            **{
                **data,
                "manifests": tuple(
                    ManifestResult(**{**item, "action": Action(item["action"]), "warnings": tuple(item["warnings"])})
                    for item in data["manifests"]
                ),
                "objects": Objects.from_json(data["objects"]),
                "dns": tuple(map(_dns, data["dns"])),
                "reach": tuple(map(_reach, data["reach"])),
                "shell": tuple(
                    ShellAnswer(
                        **{
                            **item,
                            "question": ShellQuestion(**item["question"]),
                            "outcome": Outcome(item["outcome"]),
                        }
                    )
                    for item in data.get("shell", ())
                ),
                "problems": tuple(Problem(**item) for item in data["problems"]),
                "host_ports": {int(port): address for port, address in data["host_ports"].items()},
                "ground": Ground.from_json(data["ground"]) if data.get("ground") else None,
                "controls": Controls.from_json(data["controls"]) if data.get("controls") else None,
                "inert": tuple(data.get("inert", ())),
            }
        )


def _dns(item: Mapping[str, Any]) -> DnsAnswer:
    question, records = DnsQuestion(**item["question"]), tuple(item["records"])
    return DnsAnswer(**{**item, "question": question, "outcome": Outcome(item["outcome"]), "records": records})


def _reach(item: Mapping[str, Any]) -> ReachAnswer:
    question = ReachQuestion(**{**item["question"], "want": tuple(item["question"]["want"])})
    return ReachAnswer(**{**item, "question": question, "outcome": Outcome(item["outcome"])})
