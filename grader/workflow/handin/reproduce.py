"""Bring what `grader submit` wrote into another cluster: objects, deletions, Pods that were started again.

The file comes from somebody who is not trusted: only the kinds that the exercise lets change, only in its Namespaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from grader.causes.owners import WORKLOADS
from grader.cluster.info import ClusterInfo
from grader.errors import ManifestError
from grader.kube.client import KubeApi, connected
from grader.kube.resources import KNOWN
from grader.model.evidence import Action, ManifestResult
from grader.model.exercise import Exercise
from grader.model.ground import Given
from grader.model.kubernetes import addresses_of, name_of
from grader.workflow.ground.apply import apply_document, replace
from grader.workflow.ground.bounds import Bounds
from grader.workflow.ground.laying import READY_PAUSE, given_ready
from grader.workflow.ground.manifests import Document, read_documents
from grader.workflow.ground.restore import given_keys, make_exactly
from grader.workflow.handin.handed import Head, Reference, read
from grader.workflow.handin.knowing import by_workload
from grader.workflow.handin.submit import BESIDE, kinds_in

SETTLING = 15.0


def reproduce(
    text: str, exercise: Exercise, cluster: ClusterInfo, *, api: KubeApi | None = None
) -> tuple[ManifestResult, ...]:
    """Do to the ground of an exercise, as it was given, what a learner did to it elsewhere; one result an object.

    `api` is the cluster's API server, where connections to it are open already.

    Raises ManifestError where the text cannot be read as objects, ClusterUnreachable.
    """
    head = read(text)
    try:
        documents = read_documents(text)
    except ManifestError as error:
        if error.code != "manifest-empty" or not (head.deleted or head.ground):
            raise
        documents = ()
    given = given_keys(exercise)
    strict = Bounds.of(exercise)
    further = {name: {*exercise.may_change_there.get(name, ()), *BESIDE} for name in exercise.namespaces}
    loose = Bounds({*exercise.may_change, *BESIDE}, further)
    with connected(cluster.kubeconfig, api) as server:
        _delete(server, head, exercise)
        addresses = _addresses(server, head, exercise) if head.addresses else {}
        results = []
        workloads = False
        for item in documents:
            document = Document(item.line, _moved(item.content, addresses))
            is_given = _key(item.content, exercise) in given
            fixed = is_given and Given(*_key(item.content, exercise)) not in exercise.ground.may_differ
            kind = item.content.get("kind") if isinstance(item.content, Mapping) else None
            if workloads and kind == "Service":
                _settle(server, exercise)  # Pods that came before a Service do not know it
            workloads = kind in WORKLOADS
            results.append(
                apply_document(
                    server,
                    document,
                    exercise.namespace,
                    bounds=strict if fixed else loose,
                    exactly=_exactly(item.content, exercise) if is_given else None,
                )
            )
        if head.restarted or head.outdated:
            made = {
                told.name: item
                for told, item in zip(results, documents, strict=True)
                if (told.kind, told.namespace) == ("Service", exercise.namespace)
                and told.action is not Action.REFUSED
                and (told.namespace, told.kind, told.name) not in given
            }
            _acquaint(server, head, exercise, made)
    return tuple(results)


def _exactly(content: Any, exercise: Exercise) -> Callable[[KubeApi, Mapping[str, Any], str], object]:
    """Choose how a given object becomes what was handed in: in place, where it must stay the very same."""
    return replace if Given(*_key(content, exercise)) in exercise.ground.kept else make_exactly


def _key(obj: Any, exercise: Exercise) -> tuple[Any, Any, Any]:
    metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None, None, None
    return str(metadata.get("namespace") or exercise.namespace), str(obj.get("kind")), str(metadata.get("name"))


def _delete(api: KubeApi, head: Head, exercise: Exercise) -> None:
    """Delete the given objects that are named and that a learner may change."""
    plurals = {resource.kind: resource.plural for resource in KNOWN}
    given = given_keys(exercise)
    for item in head.deleted:
        if (item.namespace, item.kind, item.name) in given and item.kind in kinds_in(exercise, item.namespace):
            api.delete(plurals[item.kind], item.name, item.namespace, grace_seconds=0 if item.kind == "Pod" else None)


def _acquaint(api: KubeApi, head: Head, exercise: Exercise, services: Mapping[str, Document]) -> None:
    """Start Pods again so that each knows the Services that it knew: those of before, which are made again, or now."""
    _settle(api, exercise)
    outdated, now = _named(api, head.outdated, exercise), _named(api, head.restarted, exercise)
    _start_again(api, outdated)
    if outdated:
        _settle(api, exercise)
        for name, item in services.items():
            api.delete("services", name, exercise.namespace)
            apply_document(api, item, exercise.namespace, bounds=Bounds(("Service",)))
    _start_again(api, now)


def _named(api: KubeApi, items: Iterable[Reference], exercise: Exercise) -> list[Mapping[str, Any]]:
    """List the Pods that are named, of workloads in the exercise's Namespaces."""
    wanted: dict[tuple[str, str, str], set[int | None]] = {}
    for item in items:
        wanted.setdefault((item.namespace, item.kind, item.name), set()).add(item.pod)
    found = []
    for namespace in {key[0] for key in wanted} & set(exercise.all_namespaces):
        for key, pods in by_workload(api.list("pods", namespace), exercise).items():
            if key[1] in WORKLOADS:
                found += [pod for index, pod in enumerate(pods) if {None, index} & wanted.get(key, set())]
    return found


def _start_again(api: KubeApi, pods: Iterable[Mapping[str, Any]]) -> None:
    for pod in pods:
        api.delete("pods", name_of(pod), str(pod["metadata"]["namespace"]), grace_seconds=0)


def _settle(api: KubeApi, exercise: Exercise) -> None:
    """Give the controllers time to make the Pods that are asked for; some may never come."""
    begun = api.clock.monotonic()
    while not given_ready(api, exercise) and api.clock.monotonic() - begun < SETTLING:
        api.clock.sleep(READY_PAUSE)


def _addresses(api: KubeApi, head: Head, exercise: Exercise) -> dict[str, tuple[str, str]]:
    """Tell address and node that each Pod of the learner's has here."""
    pods = [pod for namespace in exercise.all_namespaces for pod in api.list("pods", namespace)]
    groups = by_workload(pods, exercise)
    found = {}
    for address, item in head.addresses.items():
        group = groups.get((item.namespace, item.kind, item.name), [])
        if item.pod is not None and item.pod < len(group) and (here := addresses_of(group[item.pod])):
            found[address] = (here[0], str(group[item.pod].get("spec", {}).get("nodeName", "")))
    return found


def _moved(content: Any, addresses: Mapping[str, tuple[str, str]]) -> Any:
    """Put the addresses that Pods have here into a slice, or Endpoints."""
    kind = content.get("kind") if isinstance(content, Mapping) else None
    if not addresses or kind not in ("EndpointSlice", "Endpoints"):
        return content
    moved = deepcopy(dict(content))
    if kind == "Endpoints":
        for item in _addresses_in(moved):
            if isinstance(item.get("ip"), str) and item["ip"] in addresses:
                item["ip"], node = addresses[item["ip"]]
                item |= {"nodeName": node} if "nodeName" in item else {}
        return moved
    endpoints = moved.get("endpoints")
    for endpoint in endpoints if isinstance(endpoints, list) else ():
        old = endpoint.get("addresses") if isinstance(endpoint, dict) else None
        if not isinstance(old, list):
            continue
        known = [addresses[address] for address in old if isinstance(address, str) and address in addresses]
        endpoint["addresses"] = [
            addresses[address][0] if isinstance(address, str) and address in addresses else address for address in old
        ]
        if known and "nodeName" in endpoint:
            endpoint["nodeName"] = known[0][1]
    return moved


def _addresses_in(endpoints: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the addresses of Endpoints, whatever else stands in their places."""
    subsets = endpoints.get("subsets")
    for subset in subsets if isinstance(subsets, list) else ():
        for key in ("addresses", "notReadyAddresses"):
            found = subset.get(key) if isinstance(subset, dict) else None
            yield from (item for item in found if isinstance(item, dict)) if isinstance(found, list) else ()
