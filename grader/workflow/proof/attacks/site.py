"""What an operator knows of an exercise before anything is done: what is given, what is answered, what is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from grader.causes.owners import WORKLOADS
from grader.criteria.object import Object
from grader.model.exercise import Answer, Exercise, Form
from grader.model.ground import Given
from grader.model.kubernetes import name_of, selects
from grader.workflow.ground.manifests import read_documents
from grader.workflow.ground.restore import documents


@dataclass(frozen=True)
class Thing:
    """An object as a manifest says it.

    Attributes:
        namespace: where it is.
        kind: its kind.
        name: its name.
        content: the manifest.
        elsewhere: whether it is in another Namespace than the exercise's own.
    """

    namespace: str
    kind: str
    name: str
    content: Mapping[str, Any]
    elsewhere: bool = False

    @property
    def key(self) -> Given:
        """Tell which given object it is."""
        return Given(self.namespace, self.kind, self.name)

    @property
    def title(self) -> str:
        """Name it: "Service/web", "Service/web in shop-office"."""
        return f"{self.kind}/{self.name}" + (f" in {self.namespace}" if self.elsewhere else "")

    @property
    def spec(self) -> Mapping[str, Any]:
        """Read its spec."""
        return self.content.get("spec") or {}

    @property
    def template(self) -> Mapping[str, Any]:
        """Read what the Pods of a workload are made from."""
        return self.spec.get("template") or {}

    @property
    def pod_labels(self) -> Mapping[str, str]:
        """Read the labels of a workload's Pods."""
        return self.template.get("metadata", {}).get("labels") or {}

    @property
    def replicas(self) -> int:
        """Read how many Pods a workload has."""
        return int(self.spec.get("replicas", 1))

    @property
    def selector(self) -> Mapping[str, str]:
        """Read a Service's selector."""
        return self.spec.get("selector") or {}

    @property
    def has_cluster_ip(self) -> bool:
        """Tell whether a Service is one that a kube-proxy serves."""
        return self.spec.get("type") != "ExternalName" and self.spec.get("clusterIP") != "None"


@dataclass(frozen=True)
class Site:
    """An exercise as an operator sees it.

    Attributes:
        exercise: the exercise.
    """

    exercise: Exercise

    @property
    def answer(self) -> Answer:
        """Find the answer that is attacked: the first that is a manifest, else the first."""
        answers = self.exercise.answers
        return next((answer for answer in answers if answer.form is Form.MANIFEST), answers[0])

    @cached_property
    def given(self) -> tuple[Thing, ...]:
        """Read the given objects."""
        return tuple(self._thing(item.content) for item in documents(self.exercise))

    @cached_property
    def says(self) -> tuple[Mapping[str, Any], ...]:
        """Read what the answer says, document by document; nothing of a script."""
        if self.answer.form is Form.SCRIPT:
            return ()
        return tuple(item.content for item in read_documents(self.answer.text))

    @cached_property
    def answered(self) -> tuple[Thing, ...]:
        """Read the objects of the answer, each as it says it last; none of a script."""
        return tuple({item.key: item for item in map(self._thing, self.says)}.values())

    def _thing(self, obj: Mapping[str, Any]) -> Thing:
        namespace = str(obj["metadata"].get("namespace") or self.exercise.namespace)
        return Thing(namespace, str(obj["kind"]), name_of(obj), obj, namespace != self.exercise.namespace)

    def is_answered(self, thing: Thing) -> bool:
        """Tell whether the answer says something of an object."""
        return any(item.key == thing.key for item in self.answered)

    # -- what must stay ---------------------------------------------------------------------------------------------

    def must_stay(self, thing: Thing, path: str) -> bool:
        """Tell whether a field of a given object must stay as it was laid.

        Where the exercise says nothing of its ground, what the reference answer does not touch must stay.
        """
        if not self.exercise.ground.says:
            return not self.is_answered(thing)
        allowed = self.exercise.ground.may_differ.get(thing.key, ())
        return not any(path == some or path.startswith((f"{some}.", f"{some}[")) for some in allowed)

    def may_go(self, thing: Thing) -> bool:
        """Tell whether a given object may be deleted, or at least be made anew."""
        ground = self.exercise.ground
        if not ground.says:
            return self.is_answered(thing)
        return thing.key in ground.may_go or (thing.key in ground.may_differ and thing.key not in ground.kept)

    def is_kept(self, thing: Thing) -> bool:
        """Tell whether a given object may be changed, but not deleted and made anew."""
        return thing.key in self.exercise.ground.kept

    # -- who is who -------------------------------------------------------------------------------------------------

    def workloads(self, *, given: bool = True) -> tuple[Thing, ...]:
        """List the workloads that are given, or else those that stand once the answer is applied."""
        things = self.given
        if not given:
            things = (*(item for item in self.given if not self.is_answered(item)), *self.answered)
        return tuple(item for item in things if item.kind in WORKLOADS)

    @cached_property
    def services(self) -> tuple[Thing, ...]:
        """List the Services that criteria are about, as they stand once the answer is applied."""
        judged = {item.expect.service for item in self.exercise.criteria}
        latest = {item.name: item for item in (*self.given, *self.answered) if self._own_service(item)}
        return tuple(item for name, item in latest.items() if name in judged)

    @property
    def mine(self) -> tuple[Thing, ...]:
        """List those of them that the learner makes or mends."""
        return tuple(item for item in self.services if self.is_answered(item))

    @property
    def selecting(self) -> tuple[Thing, ...]:
        """List those of them that choose Pods by labels."""
        return tuple(item for item in self.mine if item.selector)

    @property
    def inner(self) -> tuple[Thing, ...]:
        """List the Services that are for the inside only: a criterion says that their type is ClusterIP."""
        said = {
            item.expect.name
            for item in self.exercise.criteria
            if isinstance(item.expect, Object)
            and item.expect.kind == "Service"
            and item.expect.matches.get("spec", {}).get("type") == "ClusterIP"
        }
        return tuple(item for item in self.services if item.name in said and item.selector)

    @property
    def hidden(self) -> tuple[Thing, ...]:
        """List those of them whose Pods no other Service of the answer opens to the outside."""
        doors = [item for item in self.services if item.spec.get("type") in {"NodePort", "LoadBalancer"}]
        opened = {workload.key for door in doors for workload in self.backing(door)}
        return tuple(item for item in self.inner if not opened & {workload.key for workload in self.backing(item)})

    def _own_service(self, thing: Thing) -> bool:
        return thing.kind == "Service" and thing.namespace == self.exercise.namespace

    def backing(self, service: Thing) -> tuple[Thing, ...]:
        """List the workloads whose Pods a Service selects."""
        return tuple(
            item
            for item in self.workloads(given=False)
            if item.namespace == service.namespace and selects(service.selector, item.pod_labels)
        )

    def pods_of(self, service: Thing) -> int:
        """Count the Pods of a Service that become ready."""
        ready = {} if any(self.is_answered(item) for item in self.backing(service)) else self.exercise.ready
        return sum(ready.get(item.name, item.replicas) for item in self.backing(service))

    def bystanders(self, service: Thing) -> Iterator[Thing]:
        """Find the given workloads beside a Service whose Pods it does not select."""
        backing = {item.name for item in self.backing(service)}
        for item in self.workloads():
            if item.namespace == service.namespace and item.name not in backing:
                yield item
