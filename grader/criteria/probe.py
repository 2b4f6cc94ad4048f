"""Criterion `probe`: the container that serves a port has an HTTP readiness probe of it, in template and Pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from grader.causes.owners import WORKLOADS
from grader.causes.rollouts import rollout
from grader.causes.ruling import Ruling, fail, passed
from grader.causes.scene import Scene, Sight
from grader.causes.words import listed, text, word
from grader.criteria.kind import Questions
from grader.model.kubernetes import labels_of, name_of
from grader.model.objects import RawObject
from grader.model.report import Hop

Container = Mapping[str, Any]


@dataclass(frozen=True)
class Probe:
    """The container that serves a port is asked by HTTP at that port whether it is ready.

    Attributes:
        kind: "Deployment", "StatefulSet" or "DaemonSet".
        name: its name.
        port: the port that must be asked, by number or by the name that the container gives it.
        path: the path of the request.
        container: the container's name; "": the one that serves the port.
    """

    kind: str
    name: str
    port: int
    path: str
    container: str = ""

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    outside: ClassVar[bool] = False
    service: ClassVar[str] = ""
    hop: ClassVar[Hop] = Hop.ENDPOINT_SLICE
    hops: ClassVar[frozenset[Hop]] = frozenset({Hop.ENDPOINT_SLICE})

    @property
    def subject(self) -> str:
        """The workload."""
        return f"{self.kind} {self.name}"

    @property
    def aspect(self) -> str:
        """The probe."""
        return "readinessProbe"

    @property
    def resources(self) -> frozenset[str]:
        """The workload's own kind's."""
        return frozenset({WORKLOADS[self.kind]})

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask nothing: the objects tell."""
        return Questions()

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge the template, then the Pods that were made of it."""
        workload = self._find(scene)
        if workload is None:
            return fail("object-missing", kind=self.kind, name=self.name, namespace=scene.exercise.namespace)
        template = workload["spec"]["template"]
        if objection := self._wrong(template["spec"].get("containers") or ()):
            return objection
        if moving := rollout(scene, labels_of(template)):
            return moving
        for pod in scene.backends(labels_of(template)):
            if self._wrong(pod["spec"].get("containers") or ()):
                return fail("probe-not-in-pod", kind=self.kind, name=self.name, pod=name_of(pod))
        return passed("probe-asks", kind=self.kind, name=self.name, port=self.port, path=self.path)

    def _find(self, scene: Scene) -> RawObject | None:
        return next((item for item in scene.objects.of(WORKLOADS[self.kind]) if name_of(item) == self.name), None)

    def _wrong(self, containers: tuple[Container, ...]) -> Ruling | None:
        """Object to the probe of the container that it is about."""
        facts = {"kind": self.kind, "name": self.name, "port": self.port, "path": self.path}
        chosen = self._container(containers)
        if chosen is None:
            names = listed(str(item.get("name")) for item in containers)
            return fail("probe-no-container", **facts, container=self.container or word("plain", "none"), seen=names)
        facts["container"] = str(chosen.get("name"))
        probe = chosen.get("readinessProbe")
        if not probe:
            others = [str(item.get("name")) for item in containers if item.get("readinessProbe")]
            return fail("probe-elsewhere", **facts, seen=listed(others)) if others else fail("probe-missing", **facts)
        asked = probe.get("httpGet")
        if not asked:
            return fail("probe-differs", **facts, field="readinessProbe", seen=text(probe), expected="httpGet")
        named = {item.get("name"): item.get("containerPort") for item in chosen.get("ports") or ()}
        number = asked.get("port") if isinstance(asked.get("port"), int) else named.get(asked.get("port"))
        for field, seen, expected in (
            ("path", asked.get("path") or "/", self.path),
            ("port", number if number is not None else asked.get("port"), self.port),
            ("scheme", asked.get("scheme") or "HTTP", "HTTP"),
        ):
            if seen != expected:
                field = f"readinessProbe.httpGet.{field}"
                return fail("probe-differs", **facts, field=field, seen=seen, expected=expected)
        return None

    def _container(self, containers: tuple[Container, ...]) -> Container | None:
        """Find the container that serves the port: the one that is named, is told to listen there, or declares it."""
        if self.container:
            return next((item for item in containers if item.get("name") == self.container), None)
        listening = f"--http-port={self.port}"
        told = [item for item in containers if listening in [*(item.get("command") or ()), *(item.get("args") or ())]]
        declares = [
            item for item in containers if any(p.get("containerPort") == self.port for p in item.get("ports") or ())
        ]
        if told or declares:
            return (told or declares)[0]
        return containers[0] if len(containers) == 1 else None

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the probe that is asked for, and those that there are."""
        expected = f"readinessProbe.httpGet.path={self.path}, port={self.port}"
        workload = self._find(scene)
        if workload is None:
            return expected, word("plain", "absent")
        containers = workload["spec"]["template"]["spec"].get("containers") or ()
        found = [f"{item.get('name')}: {text(item.get('readinessProbe'))}" for item in containers]
        return expected, "\n".join(found)
