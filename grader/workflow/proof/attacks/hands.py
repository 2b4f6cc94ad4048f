"""What an operator works with: the API server, and a list of what must be put back afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.client import Object as Live
from grader.kube.resources import KNOWN, Resource
from grader.model.exercise import Form
from grader.model.kubernetes import addresses_of, is_terminating, name_of, selects
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.ground.laying import wait_until
from grader.workflow.ground.restore import CLEARED
from grader.workflow.proof import script
from grader.workflow.proof.attacks.site import Site, Thing

TRIES = 8
SECONDS = 20.0
PAUSE = 0.03
FINALIZER = "services-course.example/held"

Change = Callable[[Live], None]
Path = Sequence[str | int]


class Hands:
    """Acts on the ground of one exercise.

    Attributes:
        api: the API server.
        cluster: the cluster.
        site: the exercise.
        names: words that the card must hold beside those that are known beforehand.
    """

    def __init__(self, api: KubeApi, cluster: ClusterInfo, site: Site) -> None:
        self.api, self.cluster, self.site = api, cluster, site
        self.names: list[str] = []
        self._undo: list[Callable[[], None]] = []

    @property
    def namespace(self) -> str:
        """The exercise's own Namespace."""
        return self.site.exercise.namespace

    # -- the answer -------------------------------------------------------------------------------------------------

    def answer(self) -> None:
        """Do what the reference answer says. Raises EnvironmentError_ where a script of it fails."""
        found = self.site.answer
        if found.form is Form.MANIFEST:
            self.apply(found.text)
            return
        ran = script.run(found.text, self.namespace, self.cluster, strict=True)
        if ran.status:
            raise EnvironmentError_("script-failed", status=ran.status, output=ran.output)

    def apply(self, text: str) -> None:
        """Apply a manifest as kubectl does."""
        apply_manifests(text, self.namespace, self.cluster, api=self.api)

    # -- objects ----------------------------------------------------------------------------------------------------

    def read(self, kind: str, name: str, namespace: str = "") -> Live:
        """Read an object. Raises ApiRefused where it does not exist."""
        resource = resource_of(kind)
        live = self.api.get(resource.path(self._where(resource, namespace), name))
        return {"apiVersion": resource.group_version, "kind": kind, **live}

    def edit(self, kind: str, name: str, *changes: Change, namespace: str = "", subresource: str = "") -> None:
        """Change an object, as `edit_at`."""
        resource = resource_of(kind)
        edit_at(self.api, resource.path(self._where(resource, namespace), name), *changes, subresource=subresource)

    def create(self, obj: Mapping[str, Any], namespace: str = "") -> None:
        """Create an object; what the making of new ground does not delete is deleted afterwards. Raises ApiRefused."""
        resource = self.api.resource_of(obj)
        where = self._where(resource, namespace)
        self.api.create(obj, namespace=where)
        if resource.plural not in CLEARED or where not in self.site.exercise.all_namespaces:
            path = resource.path(where, name_of(obj))
            self.later(lambda: self.api.remove(path))

    def delete(self, kind: str, name: str, namespace: str = "", *, gone: bool = False) -> None:
        """Delete an object at once; `gone`: wait until it is. Raises ApiRefused."""
        resource = resource_of(kind)
        where = self._where(resource, namespace)
        self.api.delete(resource.plural, name, where, grace_seconds=0 if kind == "Pod" else None)
        if gone:
            self.until(lambda: self.api.read(resource.plural, name, where) is None)

    def hold(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object that a finalizer then keeps on its way out."""
        self.edit(kind, name, put(("metadata", "finalizers"), [FINALIZER]), namespace=namespace)
        self.later(lambda: self._release(kind, name, namespace))
        self.delete(kind, name, namespace)

    def _release(self, kind: str, name: str, namespace: str) -> None:
        resource = resource_of(kind)
        live = self.api.read(resource.plural, name, self._where(resource, namespace))
        if live is not None and FINALIZER in (live["metadata"].get("finalizers") or ()):
            self.edit(kind, name, put(("metadata", "finalizers"), []), namespace=namespace)
            self.until(lambda: self.api.read(resource.plural, name, self._where(resource, namespace)) is None)

    def pods(self, labels: Mapping[str, str], namespace: str = "") -> list[Live]:
        """List the Pods with these labels that have an address, once there is one."""
        found: list[Live] = []

        def there() -> bool:
            found[:] = [
                pod
                for pod in self.api.list("pods", namespace or self.namespace)
                if selects(labels, pod["metadata"].get("labels") or {})
                and addresses_of(pod)
                and not is_terminating(pod)
            ]
            return bool(found)

        self.until(there)
        return found

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds. Raises EnvironmentError_ where it does not come."""
        wait_until(self.api, holds, SECONDS, PAUSE, exercise=self.site.exercise.id, namespace=self.namespace)

    def _where(self, resource: Resource, namespace: str) -> str | None:
        return (namespace or self.namespace) if resource.namespaced else None

    # -- afterwards -------------------------------------------------------------------------------------------------

    def later(self, undo: Callable[[], None]) -> None:
        """Do something when the attempt is over."""
        self._undo.append(undo)

    def put_back(self) -> None:
        """Put back what the making of new ground would not, the last first."""
        while self._undo:
            self._undo.pop()()


def edit_at(api: KubeApi, path: str, *changes: Change, subresource: str = "") -> None:
    """Read an object, change it and write it back; again, where somebody wrote it meanwhile. Raises ApiRefused."""
    for left in reversed(range(TRIES)):
        live = copy.deepcopy(api.get(path))
        for change in changes:
            change(live)
        try:
            api.put(f"{path}/{subresource}" if subresource else path, live)
            return
        except ApiRefused as refusal:
            if refusal.reason != "Conflict" or not left:
                raise


_BY_KIND = {resource.kind: resource for resource in KNOWN}


def resource_of(kind: str) -> Resource:
    """Find the resource of a kind that the course knows. Raises KeyError for others."""
    return _BY_KIND[kind]


def put(path: Path, value: Any) -> Change:
    """Set a field; mappings on the way are made."""

    def change(obj: Live) -> None:
        place: Any = obj
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[path[-1]] = value

    return change


def drop(path: Path) -> Change:
    """Take a field away."""

    def change(obj: Live) -> None:
        place: Any = obj
        for step in path[:-1]:
            place = place.get(step, {}) if isinstance(place, dict) else place[step]
        place.pop(path[-1], None)

    return change


Act = Callable[[Hands], None]


def editing(thing: Thing, *changes: Change) -> Act:
    """Make an act of changes to an object."""
    return lambda hands: hands.edit(thing.kind, thing.name, *changes, namespace=thing.namespace)


def creating(obj: Mapping[str, Any], namespace: str = "") -> Act:
    """Make an act of a new object."""
    return lambda hands: hands.create(obj, namespace)


def several(*acts: Act) -> Act:
    """Do one act after the other."""

    def act(hands: Hands) -> None:
        for one in acts:
            one(hands)

    return act
