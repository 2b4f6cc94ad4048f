"""Criterion `object`: an object exists and holds a partial manifest, or is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from grader.causes.partial import Difference, differences
from grader.causes.ruling import Ruling, fail, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import lost, missing
from grader.causes.words import aspect_text, listed, port_text, text, word
from grader.criteria.kind import Questions
from grader.model.exercise import Exercise
from grader.model.kubernetes import name_of
from grader.model.objects import RawObject
from grader.model.report import Hop

RESOURCES = {
    "Service": "services",
    "Pod": "pods",
    "EndpointSlice": "endpointslices",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "ConfigMap": "configmaps",
    "DaemonSet": "daemonsets",
    "Node": "nodes",
}


MOST_FIELDS = 4
"""How many fields are named where a criterion is told apart from others."""
KEYS_OF_ANYBODY = frozenset({"annotations", "data", "labels", "matchLabels", "selector"})
"""Fields whose keys are not Kubernetes' own."""


@dataclass(frozen=True)
class Object:
    """An object exists and holds a partial manifest, or is absent.

    Attributes:
        kind: "Service", "Pod", "EndpointSlice", "Deployment", "StatefulSet", "ConfigMap".
        name: metadata.name.
        matches: partial manifest: every key given must match; of a list of objects every given item must match a
            different item, in any order.
        absent: the object must not exist.
        exactly: paths of lists ("spec.ports") that hold the given items and no more.
        untold: paths of fields ("spec.ports.nodePort") whose value is for a learner to find out: it is never shown.
    """

    kind: str
    name: str
    matches: Mapping[str, Any] = field(default_factory=dict)
    absent: bool = False
    exactly: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    outside: ClassVar[bool] = False

    @property
    def service(self) -> str:
        """The Service that it is about, "" where it is another kind of object."""
        return self.name if self.kind == "Service" else ""

    @property
    def subject(self) -> str:
        """The object itself."""
        return self.name if self.kind == "Service" else f"{self.kind} {self.name}"

    @property
    def aspect(self) -> str:
        """The fields that it must hold."""
        named = tuple(dict.fromkeys(_fields(self.matches)))
        return aspect_text(*named[:MOST_FIELDS], *(("…",) if len(named) > MOST_FIELDS else ()))

    @property
    def hop(self) -> Hop:
        """What traffic depends on it for."""
        return Hop.SERVICE if self.kind in ("Service", "ConfigMap") else Hop.ENDPOINT_SLICE

    @property
    def hops(self) -> frozenset[Hop]:
        """None of its own."""
        return frozenset()

    @property
    def resources(self) -> frozenset[str]:
        """Its own kind's."""
        return frozenset({RESOURCES[self.kind]})

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask nothing: the objects tell."""
        return Questions()

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge an object as a partial manifest, or its absence."""
        found = self._find(scene)
        if self.absent:
            if found is None:
                return passed("object-absent", kind=self.kind, name=self.name)
            return fail("object-present", kind=self.kind, name=self.name)
        if found is None and self.kind == "Service":
            return missing(scene, self.name)
        if objection := lost(scene, self.kind, self.name, found or {}):
            return objection
        if found is None:
            return fail("object-missing", kind=self.kind, name=self.name, namespace=scene.exercise.namespace)
        different = differences(self.matches, found)
        if not different:
            return self._has_more(found) or passed("object-matches", kind=self.kind, name=self.name)
        if self.kind == "Service":
            return self._service_differs(found, different[0])
        return self._differs(different[0])

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the fields that are asked for, and those that differ."""
        found = self._find(scene)
        name = f"{self.kind}/{self.name}"
        expected = (
            word("plain", "absent") if self.absent else f"{name} {', '.join(_leaves(self.matches, untold=self.untold))}"
        )
        if found is None:
            return expected, word("plain", "absent")
        wrong = [f"{'.'.join(item.path)}={text(item.seen)}" for item in differences(self.matches, found)]
        return expected, f"{name} {', '.join(wrong)}" if wrong else expected

    def _find(self, scene: Scene) -> RawObject | None:
        return next((item for item in scene.objects.of(RESOURCES[self.kind]) if name_of(item) == self.name), None)

    def _has_more(self, found: RawObject) -> Ruling | None:
        """Object to items of a list beyond those that are asked for."""
        for path in self.exactly:
            asked, seen = (_at(obj, path) or [] for obj in (self.matches, found))
            if len(seen) > len(asked):
                facts = {"kind": self.kind, "name": self.name, "field": path, "count": len(asked)}
                shown = port_text if path == "spec.ports" else text
                return fail("object-has-more", **facts, seen=listed(map(shown, seen)))
        return None

    def _service_differs(self, service: RawObject, first: Difference) -> Ruling:
        expected = word("plain", "untold") if ".".join(first.path) in self.untold else first.expected
        facts = {"service": self.name, "expected": expected, "seen": text(first.seen)}
        if first.path == ("spec", "type"):
            return fail("service-type-differs", Hop.SERVICE, **facts)
        if first.path == ("spec", "clusterIP") and first.seen == "None":
            return fail("service-is-headless", Hop.SERVICE, service=self.name)
        if first.path[:2] == ("spec", "ports") and isinstance(self.matches["spec"]["ports"], list):
            asked = self.matches["spec"]["ports"]
            if first.path[2:] in (("port",), ("protocol",)) or len(first.path) == 2:
                shown = listed(map(port_text, asked))
                seen = listed(map(port_text, service["spec"].get("ports") or ()))
                return fail("service-port-missing", Hop.SERVICE, service=self.name, expected=shown, seen=seen)
            code = {"nodePort": "node-port-differs", "name": "port-name-differs"}.get(first.path[-1])
            if code:
                return fail(code, Hop.SERVICE, **facts)
        return self._differs(first)

    def _differs(self, first: Difference) -> Ruling:
        return fail(
            "object-differs",
            kind=self.kind, name=self.name, field=".".join(first.path),
            seen=text(first.seen), expected=text(first.expected),
        )  # fmt: skip


def wanted_node_port(exercise: Exercise, service: str, number: int) -> int | None:
    """Tell which nodePort an object criterion asks of a Service port, None where none does."""
    for criterion in exercise.criteria:
        other = criterion.expect
        if isinstance(other, Object) and not other.absent and other.service == service:
            for port in other.matches.get("spec", {}).get("ports") or ():
                if port.get("port") == number and port.get("nodePort"):
                    return int(port["nodePort"])
    return None


def _at(obj: Mapping[str, Any], path: str) -> Any:
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _leaves(value: object, path: str = "", untold: tuple[str, ...] = ()) -> list[str]:
    """Write a partial manifest as "spec.type=NodePort", one text a value."""
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".strip("."), untold)]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [leaf for item in value for leaf in _leaves(item, path, untold)]
    return [f"{path}={word('plain', 'untold') if path in untold else value}"]


def _fields(value: Any, name: str = "") -> Iterator[str]:
    """Name the fields that a partial manifest gives, without where they stand."""
    if isinstance(value, Mapping) and name not in KEYS_OF_ANYBODY:
        for key, item in value.items():
            yield from _fields(item, str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for item in value:
            yield from _fields(item, name)
    else:
        yield name
