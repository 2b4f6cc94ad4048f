"""An exercise, as read from its folder: data for observe and judge, prose for a learner.

A criterion holds one *expectation* (`Object`, `Endpoints`, `Dns`, `Reach`), perhaps negated. Each kind of expectation
is one small class here, one schema class in `grader.exercises.schema`, one planner in `grader.observe.plan` and one
judge in `grader.judge.criteria`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.model.report import Hop


class Vantage(StrEnum):
    """Where a question is asked from."""

    SAME_NAMESPACE = "same-namespace"
    OTHER_NAMESPACE = "other-namespace"
    OTHER_NODE = "other-node"  # for every node: a probe Pod on a different node
    OUTSIDE_CLIENT = "outside-client"
    LEARNER_HOST = "learner-host"


class At(StrEnum):
    """Which address of a Service a client uses."""

    NAME = "name"
    CLUSTER_IP = "cluster-ip"
    NODE_PORT = "node-port"  # every node's InternalIP; from the learner's host: the mapped address
    LOAD_BALANCER = "load-balancer"


@dataclass(frozen=True)
class Object:
    """An object exists and holds a partial manifest, or is absent.

    Attributes:
        kind: "Service", "Pod", "EndpointSlice", "Deployment".
        name: metadata.name.
        matches: partial manifest: every key given must match; of a list of objects every given item must match a
            different item, in any order.
        absent: the object must not exist.
    """

    kind: str
    name: str
    matches: Mapping[str, Any] = field(default_factory=dict)
    absent: bool = False

    @property
    def service(self) -> str:
        """The Service that this expectation is about, "" where it is another kind of object."""
        return self.name if self.kind == "Service" else ""


@dataclass(frozen=True)
class Endpoints:
    """The EndpointSlices of a Service hold exactly these Pods, ready, with this resolved port.

    Attributes:
        service: the Service's name.
        pods: labels of the Pods that must be endpoints, exactly those.
        port: resolved port number (`ports[].port` of the slice).
        service_port: the Service port the endpoints belong to; None: the only one, or whichever resolves to `port`.
        count: how many Pods there must be; None: as many as carry the labels, at least one.
    """

    service: str
    pods: Mapping[str, str]
    port: int
    service_port: int | None = None
    count: int | None = None


@dataclass(frozen=True)
class Dns:
    """A DNS question has exactly this RRset and response code.

    Attributes:
        name: a name with a trailing dot is asked as it is; any other goes through the Pod's search list.
        source: the vantage (YAML `from`).
        type: record type, "A".
        is_: "cluster-ip" (the Service's), "nothing", or an exact tuple of record data.
        service: the Service the name belongs to: the first label of the name unless given.
        rcode: expected response code.
    """

    name: str
    source: Vantage
    type: str
    is_: str | tuple[str, ...]
    service: str
    rcode: str = "NOERROR"


@dataclass(frozen=True)
class Reach:
    """Who answers at an address of a Service, seen from vantage points.

    Attributes:
        service: the Service's name.
        port: the Service port (for a node port too: its nodePort is looked up).
        at: which address.
        sources: the vantages (YAML `from`), each of which must reach it.
        answered_by: labels of the Pods that may answer.
        all_of_them: each of these Pods must have answered.
        control: for a negated reach from outside the cluster: what the same vantage must reach meanwhile.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    all_of_them: bool = True
    control: Reach | None = None


Expectation = Object | Endpoints | Dns | Reach


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold.

    Attributes:
        id: unique in its exercise.
        points: points earned when it holds.
        expect: what must hold.
        negated: it must not hold (with a positive control).
        hop: the station on the way that it is about.
    """

    id: str
    points: float
    expect: Expectation
    negated: bool
    hop: Hop


class Form(StrEnum):
    """What an answer is written as."""

    MANIFEST = "manifest"  # YAML that is applied
    SCRIPT = "script"  # commands that bash runs, with kubectl set to the cluster and the exercise's Namespace


@dataclass(frozen=True)
class Answer:
    """A manifest or a script that must pass.

    Attributes:
        name: file name without its ending.
        text: what the file holds.
        form: which of the two it is.
    """

    name: str
    text: str
    form: Form = Form.MANIFEST


@dataclass(frozen=True)
class Broken:
    """What must be seen of a ground that nobody has repaired yet.

    Attributes:
        criterion: id of the criterion that must fail.
        diagnosis: the diagnosis that its learner must get.
    """

    criterion: str
    diagnosis: str


@dataclass(frozen=True)
class WrongAnswer:
    """A manifest or a script that must fail, in a way known beforehand.

    Attributes:
        name: file name without its ending.
        text: what the file holds.
        criterion: id of the criterion that must fail; "manifest" where the API server or the YAML reader refuses it.
        diagnosis: the diagnosis that its learner must get.
        form: which of the two it is.
    """

    name: str
    text: str
    criterion: str
    diagnosis: str
    form: Form = Form.MANIFEST


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: its id and the folder's name.
        lesson: number of the lesson it belongs to.
        title: Japanese title.
        points: sum of the criteria's points.
        namespace: where it takes place.
        folder: the folder it was read from.
        task: the task, Japanese Markdown.
        hints: Japanese Markdown, each opens a little more.
        starter: the manifest the learner edits.
        given: YAML of what the cluster already has.
        criteria: in the order of exercise.yaml.
        answers: the reference first.
        wrong: wrong answers by name.
        may_change: kinds that the learner may create or change.
        namespaces: further Namespaces that belong to the exercise.
        may_change_there: further Namespace → kinds that the learner may create or change in it.
        ready: given Deployment or StatefulSet → how many of its Pods become ready, where it is not all of them.
        broken: what the ground shows before anybody repairs it; None where nothing in particular is promised.
    """

    id: str
    lesson: int
    title: str
    points: float
    namespace: str
    folder: Path
    task: str
    hints: tuple[str, ...]
    starter: str
    given: str
    criteria: tuple[Criterion, ...]
    answers: tuple[Answer, ...]
    wrong: tuple[WrongAnswer, ...]
    may_change: tuple[str, ...] = ("Service",)
    namespaces: tuple[str, ...] = ()
    may_change_there: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)
    broken: Broken | None = None

    @property
    def all_namespaces(self) -> tuple[str, ...]:
        """Every Namespace that belongs to the exercise, its own first."""
        return (self.namespace, *self.namespaces)
