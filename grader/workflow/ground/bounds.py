"""What is let through before an API server is asked: objects that are well formed, and within somebody's bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.kube.client import ApiRefused, KubeApi
from grader.model.exercise import Exercise


@dataclass(frozen=True)
class Bounds:
    """What somebody who is not trusted may create and change.

    Attributes:
        kinds: the only kinds in the Namespace that objects go to; empty: all that belong to a Namespace.
        elsewhere: other Namespaces that objects may name, each with the only kinds there.
    """

    kinds: Collection[str] = ()
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, exercise: Exercise) -> Bounds:
        """What an exercise lets its learner change."""
        return cls(exercise.may_change, exercise.may_change_there)

    def check(self, api: KubeApi, obj: Mapping[str, Any], namespace: str) -> None:
        """Refuse an object that is beyond them.

        Args:
            api: knows the kinds.
            obj: a well-formed object.
            namespace: where it goes if it names none.

        Raises ApiRefused, ClusterUnreachable.
        """
        kind, allowed = obj["kind"], {**self.elsewhere, namespace: self.kinds}
        if self.kinds and not any(kind in some for some in allowed.values()):
            raise refusal("kind", "KindNotAllowed", f"{kind} is not among the kinds of this exercise")
        if not api.resource_of(obj).namespaced:
            raise refusal("kind", "ClusterScoped", f"{kind} belongs to no namespace")
        target = obj["metadata"].get("namespace") or namespace
        if target not in allowed:
            raise refusal("metadata.namespace", "ForeignNamespace", f"namespace {target} is not {namespace}")
        if kind not in allowed[target] and (self.kinds or target != namespace):
            raise refusal("kind", "KindNotAllowed", f"{kind} is not among the kinds of this exercise in {target}")


def refusal(field: str, reason: str, message: str) -> ApiRefused:
    """Build a refusal of our own, in the shape of the API server's."""
    cause = {"field": field, "reason": reason, "message": message}
    return ApiRefused({"reason": reason, "message": message, "details": {"causes": [cause]}}, 400)


def well_formed(obj: Any) -> None:
    """Refuse what is not an object, as kubectl does before it asks a server (cli-runtime, resource/mapper.go)."""
    if not isinstance(obj, Mapping):
        raise refusal("", "NotAnObject", "the document is not a mapping")
    for name in ("apiVersion", "kind"):
        if not isinstance(obj.get(name), str) or not obj[name]:
            raise refusal(name, "FieldValueRequired", f"Object '{name}' is missing")
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise refusal("metadata.name", "FieldValueRequired", "resource name may not be empty")
    if not isinstance(metadata.get("namespace") or "", str):
        raise refusal("metadata.namespace", "FieldValueTypeInvalid", "metadata.namespace is not a string")
    for name in ("labels", "annotations"):
        if not isinstance(metadata.get(name) or {}, Mapping):
            raise refusal(f"metadata.{name}", "FieldValueTypeInvalid", f"metadata.{name} is not a mapping")
