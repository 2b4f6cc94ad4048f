"""The ground an exercise stands on: namespaces, given workload, probe Pod."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from grader.causes.owners import WORKLOADS
from grader.causes.rollouts import pods_of
from grader.cluster.info import ClusterInfo, Provider
from grader.errors import EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.kube.clock import WALL
from grader.kube.ground import KINDS
from grader.model.evidence import Action, ManifestResult
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_ready, is_terminating, name_of, uid_of
from grader.model.vantage import EXERCISE_LABEL, PROBE_POD
from grader.observe import Target
from grader.observe.reach import ask_from_here
from grader.workflow.ground.apply import apply_document
from grader.workflow.ground.manifests import Document
from grader.workflow.ground.record import given_of, known, remember
from grader.workflow.ground.restore import differs, documents, given_keys, make_exactly

GONE_SECONDS = 120.0
GONE_PAUSE = 0.2
READY_SECONDS = 120.0
READY_PAUSE = 0.1
PAUSE = 1.0  # between two looks where waiting costs nothing, and looking does


def target(cluster: ClusterInfo, api: KubeApi) -> Target:
    """Describe a cluster to the observer."""
    label = f"{cluster.provider.value} {cluster.version}"
    found = Target(
        api, label, cluster.outside, cluster.host_ports, cluster.host_ports_path, cluster.pace, clock=api.clock
    )
    if cluster.provider is Provider.EMBEDDED:
        from grader.embedded.core.support.unemulated import unemulated  # it reads the schema of Kubernetes

        found = replace(found, unemulated=unemulated)
    return found if api.clock is WALL else in_process(found)


def in_process(target: Target) -> Target:
    """Ask one thing after the other, and without a socket: what a cluster in this process is asked takes no time."""
    from grader.cluster.inprocess import AtOnce, Inside

    inside = target.clock
    assert isinstance(inside, Inside)
    from_here = partial(ask_from_here, fetch=inside.fetch)
    return replace(target, executor=AtOnce, from_here=from_here, first_pause=PAUSE, longest_pause=PAUSE, lasting=True)


def ensure_namespaces(api: KubeApi, exercise: Exercise) -> None:
    """Create the exercise's namespaces where they are missing; one that is going is waited for until it is gone.

    Raises ApiRefused, ClusterUnreachable, EnvironmentError_ ("namespace-going") where it does not go.
    """
    begun = api.clock.monotonic()
    for namespace in exercise.all_namespaces:
        while (live := api.read("namespaces", namespace)) is not None and is_terminating(live):
            if api.clock.monotonic() - begun > GONE_SECONDS:
                raise EnvironmentError_("namespace-going", exercise=exercise.id, namespace=namespace)
            api.clock.sleep(GONE_PAUSE)
        if live is not None:
            continue
        metadata = {"name": namespace, "labels": {EXERCISE_LABEL: exercise.id}}
        create_missing(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def create_missing(api: KubeApi, obj: Mapping[str, Any]) -> bool:
    """Create an object; tell False where it was there. Raises ApiRefused for other refusals, ClusterUnreachable."""
    try:
        api.create(obj)
    except ApiRefused as error:
        if error.reason == "AlreadyExists":
            return False
        raise
    return True


def lay_given(api: KubeApi, exercise: Exercise) -> tuple[ManifestResult, ...]:
    """Lay the given workload and record it.

    Where it was laid before, what a learner may have changed is left alone, and everything else is made as given again.
    Raises EnvironmentError_ ("given-refused") where the server refuses it, ApiRefused, ClusterUnreachable.
    """
    before = known(api, exercise)
    results = tuple(
        _lay(api, item, exercise, again=before is not None)
        for item in documents(exercise)
        if before is None or given_of(item.content, exercise) not in exercise.ground.may_differ
    )
    for result in results:
        if result.action is Action.REFUSED:
            raise EnvironmentError_(
                "given-refused",
                exercise=exercise.id,
                object=f"{result.kind}/{result.name}",
                reason=result.status.get("message"),
            )
    remember(api, exercise, before)
    return results


def _lay(api: KubeApi, item: Document, exercise: Exercise, *, again: bool) -> ManifestResult:
    """Lay one given object. What is there already, and not for a learner to change, is made exactly as given."""
    what = given_of(item.content, exercise)
    live = api.read(KINDS[what.kind], what.name, what.namespace)
    gone = live is None or is_terminating(live)
    if what in exercise.ground.kept | exercise.ground.may_go and again and gone:
        return ManifestResult(item.line, what.kind, what.name, what.namespace, Action.UNCHANGED)  # only a reset helps
    if live is None or what in exercise.ground.may_differ:
        return apply_document(api, item, exercise.namespace)
    if not differs(api, live, item.content, what.namespace):
        return ManifestResult(item.line, what.kind, what.name, what.namespace, Action.UNCHANGED)
    return apply_document(api, item, exercise.namespace, exactly=make_exactly)


def given_ready(api: KubeApi, exercise: Exercise) -> bool:
    """Tell whether every given workload stands, no Pod is going, and the probe runs.

    A Deployment, StatefulSet or DaemonSet stands when its controller has done what is given and as many of its Pods
    are ready as the exercise says (all, where it says nothing).
    """
    return all(_stands(api, exercise, namespace) for namespace in exercise.all_namespaces)


def wait_ready(api: KubeApi, exercise: Exercise) -> None:
    """Wait until the given workload is ready. Raises EnvironmentError_ ("given-not-ready"), ClusterUnreachable."""
    facts = {"exercise": exercise.id, "namespace": exercise.namespace}
    wait_until(api, lambda: given_ready(api, exercise), READY_SECONDS, READY_PAUSE, **facts)


def wait_until(api: KubeApi, holds: Callable[[], bool], seconds: float, pause: float, **facts: str) -> None:
    """Look every `pause` seconds of the cluster's clock whether something holds.

    Raises EnvironmentError_ ("given-not-ready", with these facts: exercise, namespace) where it does not within
    `seconds`, and what `holds` raises.
    """
    begun = api.clock.monotonic()
    while not holds():
        if api.clock.monotonic() - begun > seconds:
            raise EnvironmentError_("given-not-ready", **facts)
        api.clock.sleep(pause)


def _stands(api: KubeApi, exercise: Exercise, namespace: str) -> bool:
    owners: set[str] = set()
    said = 0
    kinds = {kind for where, kind, _ in given_keys(exercise) if where == namespace and kind in WORKLOADS}
    for kind in kinds:
        names = {name for where, that, name in given_keys(exercise) if (where, that) == (namespace, kind)}
        live = {name_of(item): item for item in api.list(WORKLOADS[kind], namespace)}
        owners.update(map(uid_of, live.values()))
        said += sum(_ready_pods(item) for item in live.values())
        if not all(name in live and _settled(live[name], exercise.ready.get(name)) for name in names):
            return False
    pods = api.list("pods", namespace)
    if "Deployment" in kinds:
        owners.update(map(uid_of, api.list("replicasets", namespace)))
    if any(is_terminating(pod) or not _owned(pod, owners) for pod in pods):
        return False
    if said != sum(is_ready(pod) for pod in pods if pod["metadata"].get("ownerReferences")):
        return False  # a controller has not missed its Pods yet
    return namespace != exercise.namespace or any(
        name_of(pod) == PROBE_POD and pod.get("status", {}).get("phase") == "Running" for pod in pods
    )


def _ready_pods(workload: Object) -> int:
    """Read how many ready Pods a controller says that there are."""
    status = workload.get("status", {})
    return int(status.get("numberReady" if workload["kind"] == "DaemonSet" else "readyReplicas", 0))


def _owned(pod: Object, owners: set[str]) -> bool:
    """Tell whether a Pod's owner is there; one whose owner is gone will go soon."""
    references = pod["metadata"].get("ownerReferences") or ()
    return not references or any(owner.get("uid") in owners for owner in references)


def _settled(workload: Object, ready: int | None) -> bool:
    """Tell whether a workload's controller has done what was asked, and as many Pods are ready as will be."""
    spec, status = workload["spec"], workload.get("status", {})
    if status.get("observedGeneration") != workload["metadata"].get("generation"):
        return False
    if workload["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(wanted == status.get("updatedNumberScheduled", 0) == status.get("numberReady", 0))
    wanted, made = spec.get("replicas", 1), pods_of(workload["kind"], workload, ready)
    counts = (status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0))
    return counts == (made, made, wanted if ready is None else ready)
