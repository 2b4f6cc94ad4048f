"""Our own instruments: the Pods and the client that look. They are mended before anything is blamed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from grader.causes.partial import differences
from grader.cluster import probes
from grader.cluster.info import ClusterInfo, Provider
from grader.errors import ClusterUnreachable, CourseError
from grader.kube.client import ApiRefused, KubeApi
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_finished, is_terminating, labels_of, name_of
from grader.model.vantage import PROBE_NAMESPACE, PROBE_POD, Vantage

# What a Pod that took a probe's name and place could have beside: it would look from another network or another DNS.
NOT_OURS = ("hostNetwork", "initContainers", "ephemeralContainers", "hostAliases", "dnsConfig")
NOT_OUR_CONTAINERS = ("command", "lifecycle", "volumeMounts")  # another program in our image
NODE_PREFIX = "node/"


def exercises_probe(namespace: str) -> dict[str, Any]:
    """The probe Pod in an exercise's own Namespace; the scheduler chooses its node."""
    wanted = probes.probe("")
    del wanted["spec"]["nodeName"]
    wanted["metadata"] = {"name": PROBE_POD, "namespace": namespace}
    return wanted


def is_ours(pod: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a Pod is the probe that it should be, by image and spec; another tag of the image will do."""
    spec = pod.get("spec", {})
    containers: list[dict[str, Any]] = list(spec.get("containers") or ())
    own = wanted["spec"]["containers"][0]
    if not labels_of(wanted).items() <= labels_of(pod).items():  # our own Services find it by them
        return False
    if len(containers) != 1 or _repository(containers[0]) != _repository(own):
        return False
    asked = {**wanted["spec"], "containers": [{**own, "image": containers[0]["image"]}]}
    del asked["tolerations"]  # the server adds its own
    beside = [*map(spec.get, NOT_OURS), *map(containers[0].get, NOT_OUR_CONTAINERS)]
    return not differences(asked, spec) and not any(beside) and spec.get("dnsPolicy", "ClusterFirst") == "ClusterFirst"


def _repository(container: Mapping[str, Any]) -> str:
    repository, _, _ = str(container.get("image", "")).rpartition(":")
    return repository


def ensure_probe(api: KubeApi, namespace: str) -> bool:
    """Have the exercise's own probe Pod be ours and run; tell whether something was done. Raises as `_ensure`."""
    return _ensure(api, exercises_probe(namespace), api.read("pods", PROBE_POD, namespace))


def ensure_node_probes(api: KubeApi) -> bool:
    """Have one probe Pod of ours on each node; tell whether something was done. Raises as `_ensure`."""
    found = {name_of(pod): pod for pod in api.list("pods", PROBE_NAMESPACE)}
    wanted = [probes.probe(name_of(node)) for node in api.list("nodes")]
    return any([_ensure(api, pod, found.get(name_of(pod))) for pod in wanted])


def _ensure(api: KubeApi, wanted: Mapping[str, Any], live: Mapping[str, Any] | None) -> bool:
    """Make a probe Pod where it is missing, finished, going, or somebody else's.

    Raises ApiRefused, ClusterUnreachable.
    """
    namespace, name = str(wanted["metadata"]["namespace"]), name_of(wanted)
    if live is not None:
        if is_ours(live, wanted) and not is_finished(live) and not is_terminating(live):
            return False
        api.delete("pods", name, namespace, grace_seconds=0)
    try:
        api.create(wanted)
    except ApiRefused as error:
        if error.reason != "AlreadyExists":
            raise
        return live is not None
    return True


def mend(api: KubeApi, cluster: ClusterInfo, exercise: Exercise, blind: Collection[str]) -> bool:
    """Make the instruments at these vantages anew; tell whether something was done. Never raises for a cluster's state.

    A context's probes are left to `grader cluster up`, which knows how they may run there.
    """
    try:
        done = Vantage.SAME_NAMESPACE in blind and ensure_probe(api, exercise.namespace)
        if cluster.provider is Provider.CONTEXT:
            return done
        if any(item == Vantage.OTHER_NAMESPACE or item.startswith(NODE_PREFIX) for item in blind):
            done = ensure_node_probes(api) or done
        if Vantage.OUTSIDE_CLIENT in blind and cluster.provider is Provider.KIND:
            done = _mend_outside(cluster) or done
        return done
    except (ApiRefused, ClusterUnreachable, CourseError):  # the next observation says what is wrong
        return False


def _mend_outside(cluster: ClusterInfo) -> bool:
    from grader.cluster.kind import KindProvider

    return KindProvider().mend_outside(cluster.name)


def replace_strangers(api: KubeApi, cluster: ClusterInfo, exercise: Exercise) -> bool:
    """Make a Pod anew that bears a probe's name and is not ours; tell whether there was one.

    Raises ClusterUnreachable.
    """
    try:
        live = api.list("pods", PROBE_NAMESPACE)
        own = api.read("pods", PROBE_POD, exercise.namespace)
    except ApiRefused:  # a shared cluster may hide them
        return False
    strange = any(not is_ours(pod, probes.probe(str(pod["spec"].get("nodeName", "")))) for pod in live)
    blind = {Vantage.OTHER_NAMESPACE.value} if strange else set()
    if own is not None and not is_ours(own, exercises_probe(exercise.namespace)):
        blind.add(Vantage.SAME_NAMESPACE.value)
    return bool(blind) and mend(api, cluster, exercise, blind)
