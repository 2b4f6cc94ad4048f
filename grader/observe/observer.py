"""The observer: lists objects, asks the planned questions, and hands over Evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from grader.causes.scene import Sight
from grader.errors import ClusterUnreachable, EnvironmentError_
from grader.kube.client import ApiRefused
from grader.kube.clock import WALL, Clock
from grader.kube.ground import CLUSTER_RECORD, joined, read_record, record_name, resources_of
from grader.model.evidence import (
    Action,
    Controls,
    DnsAnswer,
    Evidence,
    ManifestResult,
    Outcome,
    Problem,
    RawObject,
    ReachAnswer,
    ReachQuestion,
    ShellAnswer,
)
from grader.model.exercise import Exercise
from grader.model.ground import Change, Ground
from grader.model.kubernetes import CONTROLLER, MANAGED_BY_LABEL, labels_of, name_of
from grader.model.objects import Listed, Objects
from grader.model.vantage import EXERCISE_LABEL, PROBE_NAMESPACE, PROBE_POD, Vantage, other_namespace_node
from grader.observe.asking import Asking
from grader.observe.carriers import ApiCarrier, Carrier, CarrierError, PodCarrier
from grader.observe.comparison import Comparison
from grader.observe.container import ContainerCarrier
from grader.observe.environment import inspect, unreachable
from grader.observe.inert import inert
from grader.observe.plan import Plan, needs_outside, plan, resources
from grader.observe.reach import FIRST_SECONDS
from grader.observe.target import Target

THREADS = 8  # questions asked at once; they wait for networks, not for the processor
BRIEF_SECONDS = 1.2  # how long a first try may take while a Service of our own shows whether silence is news
FURTHER = ("services", "pods", "endpointslices")
# What acts on traffic or Pods beside them: looked at once a check, for every list has its price.
ACTING = ("networkpolicies", "ingresses", "resourcequotas", "limitranges", "horizontalpodautoscalers")
BY_HAND = f"{MANAGED_BY_LABEL}!={CONTROLLER}"  # slices that no controller made

LOOK_SECONDS = 5.0
"""What a look adds at most to the time for which nothing changed: one that took longer saw no more."""


def collections(exercise: Exercise) -> tuple[tuple[str, str], ...]:
    """Name what is listed of an exercise's Namespaces: resource and Namespace."""
    own = (*resources(exercise), *ACTING)
    there = (*FURTHER, *ACTING)
    return (
        *((plural, exercise.namespace) for plural in own),
        *((plural, namespace) for namespace in exercise.namespaces for plural in there),
    )


class Observer:
    """Observes one exercise on one cluster, as often as it is asked to. Close it (or use `with`) to end its threads."""

    def __init__(
        self,
        target: Target,
        exercise: Exercise,
        clock: Callable[[], float] | None = None,
        told: tuple[Change, ...] = (),
    ) -> None:
        self.target, self.exercise, self.told = target, exercise, told
        self.clock = clock or target.clock.monotonic
        self._executor = target.executor(THREADS)
        self._listed = {
            **{("", plural): (plural, exercise.namespace) for plural in resources(exercise)},
            **{(name, plural): (plural, name) for name in exercise.namespaces for plural in FURTHER},
        }
        self._records: tuple[Ground | None, Ground | None] | None = None
        self._by_hand: tuple[RawObject, ...] = ()
        self._configs: tuple[RawObject, ...] = ()
        self._acting: Mapping[tuple[str, str], tuple[RawObject, ...]] | None = None
        self._right: Mapping[ReachQuestion, ReachAnswer] = {}
        self._fingerprint: object = None
        self._looked, self._quiet = self.clock(), 0.0
        self._nodes: tuple[RawObject, ...] = ()
        self._inspected: tuple[Problem, ...] = ()
        self._comparison: Comparison | None = None
        self._incomparable = ""
        scheme, _, way = target.outside.partition(":")
        self._container = ContainerCarrier(way) if scheme == "docker" else None
        self._outside = ApiCarrier(target.api, way) if scheme == "api" else self._container

    def __enter__(self) -> Self:
        if self._container and needs_outside(self.exercise):
            self._executor.submit(self._container.open)  # a failure shows again when it is asked
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._container:
            self._container.close()

    def observe(
        self,
        manifests: Sequence[ManifestResult] = (),
        unreadable: Mapping[str, str] | None = None,
        *,
        inspecting: bool = False,
        first_seconds: float = FIRST_SECONDS,
    ) -> Evidence:
        """List, ask, and return Evidence; a cluster that does not answer is a fatal Problem in it, not an error.

        Args:
            manifests: what was said of the manifest that this check applied.
            unreadable: why it could not be read.
            inspecting: look anew at nodes, DNS, kube-proxy, the load balancer and the control plane; what was found
                stands in all Evidence until then.
            first_seconds: how long a first try may take: short while kube-proxy may still be programming.
        """
        exercise = self.exercise
        common: dict[str, Any] = {
            "exercise": exercise.id,
            "namespace": exercise.namespace,
            "cluster": self.target.label,
            "pace": self.target.pace,
            "manifests": tuple(manifests),
            "unreadable": unreadable,
        }
        try:
            common["ground"] = self._ground()
            objects = self.objects()
            if not objects.of("pods") and not objects.of("deployments") and not self._started():
                facts = {"namespace": exercise.namespace, "exercise": exercise.id}
                return self._blind(common, Problem("exercise-not-started", facts, fatal=True))
            if common["ground"] is None:
                facts = {"exercise": exercise.id}
                return self._blind(common, Problem("ground-unknown", facts, fatal=True))
            host_ports = self.host_ports()
            refused = any(item.action is Action.REFUSED for item in manifests)  # what is told then needs no answers
            planned = plan(() if refused else exercise.criteria, Sight(objects, exercise.namespace, host_ports))
            inspected = self._executor.submit(self._inspect) if inspecting else None
            if planned.missing:
                objects = replace(objects, elsewhere=self._elsewhere(planned.missing))
            asking = Asking(self, objects, min(first_seconds, BRIEF_SECONDS) if self._comparison else first_seconds)
            if self._comparison:  # before the exercise's questions: time excuses no silence that comes after an answer
                common["controls"] = self._comparison.ask(planned, objects, asking, self._executor)
            elif self._incomparable:
                common["controls"] = Controls(None, reason=self._incomparable)
            dns, reach, shell = self._ask(planned, asking)
            if inspected:
                self._inspected = inspected.result()
        except (ClusterUnreachable, ApiRefused) as error:
            return self._blind(common, unreachable(error))
        return Evidence(
            **common,
            taken_at=now(self.target.clock),
            objects=objects,
            dns=dns,
            reach=reach,
            shell=shell,
            problems=_distinct((*asking.problems, *self._inspected)),
            host_ports=host_ports,
            inert=inert(objects, self.target.unemulated) if self.target.unemulated else (),
            quiet_for=round(self._quiet + self._since_looked(), 3),
        )

    def compare(self, control: str) -> None:
        """Ask a Service of our own too from now on: its name in the probes' Namespace."""
        self._comparison = Comparison(self.target.api, control, self.clock)

    def compare_nothing(self, reason: str) -> None:
        """Say in every Evidence from now on why there is no Service of our own to be asked."""
        self._incomparable = reason

    def _blind(self, common: Mapping[str, Any], problem: Problem) -> Evidence:
        """Give the Evidence of an observation that could not be made."""
        return Evidence(**common, taken_at=now(self.target.clock), problems=(problem,))

    def _ground(self) -> Ground | None:
        """Read the records of the ground once, and list from now on what they speak of. Raises ClusterUnreachable."""
        if self._records is None:
            names = (record_name(self.exercise.id), CLUSTER_RECORD)
            own, cluster = self._executor.map(partial(read_record, self.target.api), names)
            self._records = (own, cluster)
            for plural, namespace in resources_of(own) if own else ():
                at = "" if namespace == self.exercise.namespace else namespace
                self._listed[at, plural] = (plural, namespace)
        found = joined(*self._records)
        return replace(found, told=self.told) if found else None

    def objects(self) -> Objects:
        """List the objects of the exercise's namespaces, and the nodes. Raises ClusterUnreachable, ApiRefused."""
        nodes = self._executor.submit(self.target.api.list, "nodes")
        objects = self._list()
        self._unchanged(objects)
        try:
            self._nodes = tuple(map(_trim_node, nodes.result()))
        except ApiRefused:  # a shared cluster may not show its nodes
            self._nodes = ()
        return replace(objects, own={**objects.own, "nodes": self._nodes})

    def coexisted(self) -> bool:
        """List once more; tell whether the objects last observed were all there, as they were, at one moment.

        Each resource is listed by a request of its own: without this, Pods of before a change may stand beside a
        Deployment of after it. Two collections alike, one begun after the other ended, prove a moment between them.

        Raises ClusterUnreachable, ApiRefused.
        """
        return self._unchanged(self._list())

    def _list(self) -> Objects:
        futures = {key: self._executor.submit(self.target.api.list, *what) for key, what in self._listed.items()}
        if self._acting is None:
            single = [self._executor.submit(self.target.api.read, *what) for what in self._single()]
            self._acting = self._list_acting()
            self._configs = tuple(_trim(item) for item in (future.result() for future in single) if item)
        listed: dict[str, dict[str, tuple[RawObject, ...]]] = {"": {}}
        for (namespace, plural), items in self._acting.items():
            listed.setdefault(namespace, {})[plural] = items
        for (namespace, plural), future in futures.items():
            listed.setdefault(namespace, {})[plural] = tuple(map(_trim, future.result()))
        own: Listed = listed.pop("")
        return Objects(own, listed, cluster={"configmaps": self._configs, "endpointslices": self._by_hand})

    def _list_acting(self) -> dict[tuple[str, str], tuple[RawObject, ...]]:
        """List what acts on traffic or Pods; what a cluster does not show or serve is not there."""
        homes = {"": self.exercise.namespace, **{name: name for name in self.exercise.namespaces}}
        futures = {
            (home, plural): self._executor.submit(self.target.api.list, plural, namespace)
            for home, namespace in homes.items()
            for plural in ACTING
        }
        by_hand = self._executor.submit(self.target.api.list, "endpointslices", labels=BY_HAND)
        found = {}
        for key, future in futures.items():
            try:
                found[key] = tuple(map(_trim, future.result()))
            except ApiRefused:
                found[key] = ()
        try:
            self._by_hand = tuple(map(_trim, by_hand.result()))
        except ApiRefused:  # a shared cluster may not show other namespaces
            self._by_hand = ()
        return found

    def _single(self) -> list[tuple[str, str, str]]:
        """Name the objects of the cluster itself that are read one by one: resource, name, Namespace."""
        cluster = self._records[1] if self._records else None
        return [
            ("configmaps", item.what.name, item.what.namespace)
            for item in (cluster.laid if cluster else ())
            if item.what.kind == "ConfigMap"
        ]

    def _unchanged(self, objects: Objects) -> bool:
        """Tell whether these objects are those of the last collection; remember since when."""
        fingerprint = objects.versions
        alike = fingerprint == self._fingerprint
        self._quiet = self._quiet + self._since_looked() if alike else 0.0
        self._looked = self.clock()
        if not alike:
            self._fingerprint, self._right = fingerprint, {}
        return alike

    def _since_looked(self) -> float:
        """Seconds since the objects were looked at, as far as they count: a starved machine waits for looks, too."""
        return min(self.clock() - self._looked, LOOK_SECONDS)

    def host_ports(self) -> Mapping[int, str]:
        """Tell how the learner's host reaches node ports. Raises ClusterUnreachable, ApiRefused."""
        if not self.target.host_ports_path:
            return self.target.host_ports
        return self.target.api.host_ports(self.target.host_ports_path)

    @property
    def pace(self) -> float:
        """How long the cluster's data plane may lag behind (Evidence.pace)."""
        return self.target.pace

    def from_here(self, question: ReachQuestion, seconds: float) -> ReachAnswer:
        """Ask as the learner's own machine does."""
        return self.target.from_here(question, seconds)

    def carrier(self, vantage: str, objects: Objects) -> Carrier:
        """Find the way to a vantage. Raises CarrierError where there is none."""
        api = self.target.api
        if vantage == Vantage.SAME_NAMESPACE:
            return PodCarrier(api, self.exercise.namespace, PROBE_POD)
        if vantage.startswith("pod/"):
            pod, _, port = vantage.removeprefix("pod/").partition(":")
            return PodCarrier(api, self.exercise.namespace, pod, int(port))
        if vantage == Vantage.OUTSIDE_CLIENT:
            if self._outside is None:
                raise CarrierError("outside-client-missing", cluster=self.target.label)
            return self._outside
        node = vantage.removeprefix("node/")
        if vantage == Vantage.OTHER_NAMESPACE:
            node = other_namespace_node(objects.of("nodes"))
        return PodCarrier(api, PROBE_NAMESPACE, f"probe-{node}")

    def _ask(
        self, planned: Plan, asking: Asking
    ) -> tuple[tuple[DnsAnswer, ...], tuple[ReachAnswer, ...], tuple[ShellAnswer, ...]]:
        shell_futures = [self._executor.submit(asking.shell, question) for question in planned.shell]
        dns_futures = [self._executor.submit(asking.dns, question) for question in planned.dns]
        reach_futures = [
            self._executor.submit(asking.reach, question) for question in planned.reach if question not in self._right
        ]
        new = {answer.question: answer for answer in (future.result() for future in reach_futures)}
        answers = [self._right.get(question) or new[question] for question in planned.reach]
        if self.target.lasting:
            self._right = {answer.question: answer for answer in answers if answer.question.want and _as_wanted(answer)}
        if not planned.reach or any(not _as_wanted(answer) for answer in answers):
            directly = [self._executor.submit(asking.briefly, question) for question in planned.direct]
            answers += [future.result() for future in directly]
        told = tuple(future.result() for future in shell_futures)
        return tuple(future.result() for future in dns_futures), tuple(answers), told

    def _started(self) -> bool:
        """Tell whether the exercise's namespace is there. Raises ClusterUnreachable, ApiRefused."""
        return self.target.api.read("namespaces", self.exercise.namespace) is not None

    def _elsewhere(self, missing: Sequence[tuple[str, str]]) -> tuple[RawObject, ...]:
        """List objects of these names in other namespaces, but for other exercises': where, and since when."""
        try:
            found = {resource: self.target.api.list(resource) for resource in sorted({item[0] for item in missing})}
            homes = self.target.api.list("namespaces", labels=EXERCISE_LABEL)
        except ApiRefused:  # a shared cluster may not show other namespaces
            return ()
        others = {name_of(home) for home in homes if labels_of(home)[EXERCISE_LABEL] != self.exercise.id}
        others.add(self.exercise.namespace)
        told = ("name", "namespace", "creationTimestamp")
        return tuple(
            {"kind": item["kind"], "metadata": {key: item["metadata"].get(key) for key in told}}
            for resource, items in found.items()
            for item in items
            if (resource, name_of(item)) in missing and item["metadata"]["namespace"] not in others
        )

    def _inspect(self) -> tuple[Problem, ...]:
        try:
            # a pool of its own: a task of the shared one that waits for tasks of the same could wait for ever
            with self.target.executor(3) as executor:
                return inspect(self.target.api, self._nodes, executor)
        except EnvironmentError_ as error:
            return (unreachable(error),)


def _as_wanted(answer: ReachAnswer) -> bool:
    want = set(answer.question.want)
    return answer.outcome is Outcome.ANSWERED and (not want or want == set(answer.responders))


def _trim(item: Mapping[str, Any]) -> RawObject:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}


def _trim_node(item: Mapping[str, Any]) -> RawObject:
    """Keep of a node what verdicts rest on; its images alone are many kilobytes."""
    metadata = {key: item["metadata"].get(key) for key in ("name", "uid", "labels", "annotations")}
    spec = {key: item.get("spec", {}).get(key) for key in ("taints", "unschedulable")}
    status = item.get("status", {})
    conditions = [{"type": c["type"], "status": c["status"]} for c in status.get("conditions") or ()]
    shown = {"addresses": status.get("addresses") or [], "conditions": conditions}
    return {"kind": "Node", "metadata": metadata, "spec": spec, "status": shown}


def _distinct(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    found: list[Problem] = []
    for problem in problems:
        if problem not in found:
            found.append(problem)
    return tuple(sorted(found, key=lambda item: (item.code, item.vantage)))


def now(clock: Clock = WALL) -> str:
    """Tell the time, RFC 3339, UTC."""
    return clock.today().isoformat(timespec="milliseconds").replace("+00:00", "Z")
