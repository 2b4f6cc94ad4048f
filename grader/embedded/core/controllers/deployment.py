"""Deployments: ReplicaSets for each version of a template, and the way from one to the next.

Source: k8s.io/kubernetes/pkg/controller/deployment (sync.go, rolling.go, recreate.go, progress.go,
util/deployment_util.go).
"""

from __future__ import annotations

import copy
from typing import Any

from grader.embedded.core.controllers import rollout
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.controllers.podtemplate import same_template, template_hash
from grader.embedded.core.objects import (
    Key,
    controlled_by,
    controller_of,
    controller_reference,
    is_deleting,
    is_pod_finished,
    key_of,
    label_selector_matches,
    labels_of,
    parse_time,
    set_condition,
    uid_of,
    with_metadata,
)
from grader.embedded.core.store import Change, Obj

COMPONENT = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
)
HASH_LABEL = "pod-template-hash"


class DeploymentController(Controller):
    """Rolls each Deployment out."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A Deployment or a ReplicaSet of one changed; a Pod went away (Recreate waits for that)."""
        namespace = change.obj["metadata"].get("namespace") or ""
        if change.resource == "deployments":
            self.queue.add(key_of(change.obj))
        elif change.resource == "replicasets":
            references = [controller_of(obj) for obj in (change.obj, change.old) if obj is not None]
            for reference in references:
                if reference is not None and reference["kind"] == "Deployment":
                    self.queue.add((namespace, reference["name"]))
            if not any(references):
                for deployment in self.store.list("deployments", namespace):
                    if label_selector_matches(deployment["spec"]["selector"], labels_of(change.obj)):
                        self.queue.add(key_of(deployment))
        elif change.resource == "pods" and change.type == "DELETED":
            reference = controller_of(change.obj)
            replica_set = self.store.get("replicasets", namespace, reference["name"]) if reference else None
            owner = controller_of(replica_set) if replica_set is not None else None
            if owner is not None:
                self.queue.add((namespace, owner["name"]))

    def sync(self, key: Key) -> None:
        """Bring one Deployment forward."""
        deployment = self.store.get("deployments", *key)
        if deployment is None:
            return
        if is_deleting(deployment):
            self._write_status(deployment, self._replica_sets(deployment))
            return
        self._adopt(deployment)
        sets = self._replica_sets(deployment)
        if deployment["spec"].get("paused"):
            self._scale_all(deployment, sets)
            self._paused_condition(key)
            return
        newest = self._newest(deployment, sets)
        if self._is_scaling(deployment, sets):
            self._scale_all(deployment, sets)
        else:
            newest = self._ensure_newest(deployment, sets, newest)
            sets = self._replica_sets(deployment)
            if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
                self._recreate(deployment, sets, newest)
            else:
                self._roll(deployment, sets, newest)
        deployment = self.store.get("deployments", *key)
        if deployment is not None:
            self._write_status(deployment, self._replica_sets(deployment))
            self._clean_up(deployment)

    # --- ReplicaSets

    def _adopt(self, deployment: Obj) -> None:
        for found in self.store.list("replicasets", deployment["metadata"]["namespace"]):
            if controller_of(found) is None and not is_deleting(found):
                if label_selector_matches(deployment["spec"]["selector"], labels_of(found)):
                    references = [
                        *(found["metadata"].get("ownerReferences") or ()),
                        controller_reference(deployment),
                    ]
                    self.store.update("replicasets", with_metadata(found, ownerReferences=references))

    def _replica_sets(self, deployment: Obj) -> list[Obj]:
        """The Deployment's ReplicaSets, oldest first."""
        keys = [key for key in self.index.owned_by(uid_of(deployment)) if key[0] == "replicasets"]
        found = [obj for key in keys if (obj := self.store.get(*key)) and controlled_by(obj, deployment)]
        return sorted(found, key=lambda s: (_revision(s), s["metadata"]["creationTimestamp"], s["metadata"]["name"]))

    def _newest(self, deployment: Obj, sets: list[Obj]) -> Obj | None:
        template = deployment["spec"]["template"]
        return next((item for item in sets if same_template(item["spec"]["template"], template)), None)

    def _ensure_newest(self, deployment: Obj, sets: list[Obj], newest: Obj | None) -> Obj:
        """Find or create the ReplicaSet of the present template (sync.go getNewReplicaSet)."""
        highest = max((_revision(item) for item in sets if item is not newest), default=0)
        if newest is not None:
            revision = max(_revision(newest), highest + 1)
            annotations = self._annotations(deployment, newest, revision)
            spec = {**newest["spec"]}
            if deployment["spec"].get("minReadySeconds"):
                spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
            newest = self.store.update(
                "replicasets", {**newest, "metadata": {**newest["metadata"], "annotations": annotations}, "spec": spec}
            )
            self._set_revision(deployment, str(revision))
            if rollout.progress_condition(deployment) is None:
                message = f'Found new replica set "{newest["metadata"]["name"]}"'
                self._progress(key_of(deployment), "True", "FoundNewReplicaSet", message)
            return newest
        return self._create_newest(deployment, sets, highest + 1)

    def _create_newest(self, deployment: Obj, sets: list[Obj], revision: int) -> Obj:
        spec = deployment["spec"]
        namespace, name = key_of(deployment)
        collisions = (deployment.get("status") or {}).get("collisionCount") or 0
        digest = template_hash(spec["template"], collisions)
        while self.store.get("replicasets", namespace, f"{name}-{digest}") is not None:
            collisions += 1
            digest = template_hash(spec["template"], collisions)
        template = copy.deepcopy(spec["template"])
        labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
        template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
        selector = {**spec["selector"], "matchLabels": {**(spec["selector"].get("matchLabels") or {})}}
        selector["matchLabels"][HASH_LABEL] = digest
        size = rollout.new_size(deployment, sets, None)
        body: Obj = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-{digest}",
                "namespace": namespace,
                "labels": labels,
                "annotations": self._annotations(deployment, None, revision),
                "ownerReferences": [controller_reference(deployment)],
            },
            "spec": {"replicas": size, "selector": selector, "template": template},
            "status": {"replicas": 0},
        }
        if spec.get("minReadySeconds"):
            body["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        created = self.store.create("replicasets", body)
        if size:
            message = f"Scaled up replica set {created['metadata']['name']} from 0 to {size}"
            self.context.recorder.event(deployment, "Normal", "ScalingReplicaSet", message, COMPONENT)
        self._set_revision(deployment, str(revision))
        message = f'Created new replica set "{created["metadata"]["name"]}"'
        self._progress(key_of(deployment), "True", "NewReplicaSetCreated", message)
        return created

    def _annotations(self, deployment: Obj, newest: Obj | None, revision: int) -> dict[str, str]:
        spec = deployment["spec"]
        own = deployment["metadata"].get("annotations") or {}
        annotations = {k: v for k, v in own.items() if k not in NOT_COPIED}
        replicas = spec.get("replicas", 1)
        if newest is not None:
            before = newest["metadata"].get("annotations") or {}
            annotations = {**before, **annotations}
            old = before.get(REVISION)
            if old and int(old) < revision:
                history = before.get(REVISION_HISTORY)
                annotations[REVISION_HISTORY] = f"{history},{old}" if history else old
        annotations[REVISION] = str(revision)
        annotations[DESIRED] = str(replicas)
        annotations[MAXIMUM] = str(replicas + rollout.max_surge(deployment))
        return annotations

    def _set_revision(self, deployment: Obj, revision: str) -> None:
        stored = self.store.get("deployments", *key_of(deployment))
        if stored is not None:
            annotations = {**(stored["metadata"].get("annotations") or {}), REVISION: revision}
            self.store.update("deployments", with_metadata(stored, annotations=annotations))

    # --- scaling

    def _scale(self, deployment: Obj, replica_set: Obj, size: int) -> None:
        """Set the size of a ReplicaSet, and record an Event where it changes (sync.go scaleReplicaSet)."""
        before = replica_set["spec"].get("replicas", 1)
        stored = self.store.get("replicasets", *key_of(replica_set))
        if stored is None:
            return
        replicas = deployment["spec"].get("replicas", 1)
        annotations = {
            **(stored["metadata"].get("annotations") or {}),
            DESIRED: str(replicas),
            MAXIMUM: str(replicas + rollout.max_surge(deployment)),
        }
        metadata = {**stored["metadata"], "annotations": annotations}
        self.store.update("replicasets", {**stored, "metadata": metadata, "spec": {**stored["spec"], "replicas": size}})
        if size != before:
            way = "up" if size > before else "down"
            message = f"Scaled {way} replica set {stored['metadata']['name']} from {before} to {size}"
            self.context.recorder.event(deployment, "Normal", "ScalingReplicaSet", message, COMPONENT)

    def _is_scaling(self, deployment: Obj, sets: list[Obj]) -> bool:
        """Whether the size was changed: a ReplicaSet's annotation still tells another (sync.go isScalingEvent)."""
        replicas = str(deployment["spec"].get("replicas", 1))
        active = [item for item in sets if item["spec"].get("replicas", 1) > 0]
        desired = [(item["metadata"].get("annotations") or {}).get(DESIRED) for item in active]
        return any(value is not None and value != replicas for value in desired)

    def _scale_all(self, deployment: Obj, sets: list[Obj]) -> None:
        """Give one active ReplicaSet all replicas, or several their share in proportion (sync.go scale)."""
        for replica_set, size in rollout.proportional(deployment, sets, self._newest(deployment, sets)):
            self._scale(deployment, replica_set, size)

    def _roll(self, deployment: Obj, sets: list[Obj], newest: Obj) -> None:
        """Start new Pods and end old ones, as far as surge and unavailability allow (rolling.go rolloutRolling)."""
        size = rollout.new_size(deployment, sets, newest)
        if size != newest["spec"].get("replicas", 1):
            self._scale(deployment, newest, size)
            return
        for replica_set, smaller in rollout.shrink_old(deployment, sets, newest):
            self._scale(deployment, replica_set, smaller)

    def _recreate(self, deployment: Obj, sets: list[Obj], newest: Obj) -> None:
        """Recreate.go: first all old Pods end, then the new ones start."""
        old = [item for item in sets if uid_of(item) != uid_of(newest)]
        active = [item for item in old if item["spec"].get("replicas", 1) > 0]
        for replica_set in active:
            self._scale(deployment, replica_set, 0)
        pods = [self.store.get(*key) for item in old for key in self.index.owned_by(uid_of(item)) if key[0] == "pods"]
        if active or any(pod is not None and not is_pod_finished(pod) for pod in pods):
            return
        self._scale(deployment, newest, deployment["spec"].get("replicas", 1))

    def _clean_up(self, deployment: Obj) -> None:
        """Drop old ReplicaSets beyond revisionHistoryLimit (sync.go cleanupDeployment)."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        sets = self._replica_sets(deployment)
        newest = self._newest(deployment, sets)
        if newest is None or not rollout.is_complete(deployment, deployment.get("status") or {}):
            return
        empty = [
            item
            for item in sets
            if uid_of(item) != uid_of(newest)
            and not item["spec"].get("replicas", 1)
            and not (item.get("status") or {}).get("replicas")
            and not is_deleting(item)
        ]
        for item in empty[: max(0, len(empty) - limit)]:
            delete_in_background(self.context, "replicasets", item)

    # --- status

    def _paused_condition(self, key: Key) -> None:
        deployment = self.store.get("deployments", *key)
        if deployment is None:
            return
        current = rollout.progress_condition(deployment)
        if current is None or current.get("reason") != "DeploymentPaused":
            self._progress(key, "Unknown", "DeploymentPaused", "Deployment is paused")
        deployment = self.store.get("deployments", *key)
        if deployment is not None:
            self._write_status(deployment, self._replica_sets(deployment))

    def _progress(self, key: Key, status: str, reason: str, message: str) -> None:
        deployment = self.store.get("deployments", *key)
        if deployment is None or "progressDeadlineSeconds" not in deployment["spec"]:
            return
        held = deployment.get("status") or {}
        new = {"type": "Progressing", "status": status, "reason": reason, "message": message}
        conditions = set_condition(held.get("conditions") or [], new, self.context.now(), update_time=True)
        self.store.update("deployments", {**deployment, "status": {**held, "conditions": conditions}})

    def _write_status(self, deployment: Obj, sets: list[Obj]) -> None:
        newest = self._newest(deployment, sets)
        now = self.context.now()
        status = rollout.status_of(deployment, sets, newest, now)
        changed = self.context.update_status("deployments", deployment, status)
        current = rollout.progress_condition({"status": status})
        deadline = deployment["spec"].get("progressDeadlineSeconds")
        if changed is None or current is None or deadline is None or rollout.is_complete(deployment, status):
            return
        if current["reason"] not in ("ProgressDeadlineExceeded", "DeploymentPaused"):
            after = parse_time(current["lastUpdateTime"]) + deadline - now + 1
            self.queue.add_after(key_of(deployment), max(1.0, after))


def _revision(replica_set: Obj) -> int:
    value: Any = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(value) if str(value).isdigit() else 0
