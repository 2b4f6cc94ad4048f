"""Cells of `kubectl get` for what makes Pods (printers.go 1.36)."""

from __future__ import annotations

from grader.embedded.core.api.http.messages import Tree
from grader.embedded.core.api.read.cells import NONE, Cells, age_of, labels_text, name_of
from grader.embedded.core.api.read.durations import age, human, seconds_of
from grader.embedded.core.api.read.scale import selector_text
from grader.embedded.core.store import Obj


def _containers(pod_spec: Tree) -> Cells:
    containers = pod_spec.get("containers") or ()
    return [",".join(item["name"] for item in containers), ",".join(item.get("image", "") for item in containers)]


def _template(obj: Obj) -> Cells:
    return [*_containers(obj["spec"]["template"]["spec"]), selector_text(obj["spec"].get("selector") or {})]


def deployment_cells(obj: Obj, now: float) -> Cells:
    """PrintDeployment."""
    spec, state = obj["spec"], obj.get("status") or {}
    ready = f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [state.get("updatedReplicas", 0), state.get("availableReplicas", 0)]
    return [name_of(obj), ready, *counts, age_of(obj, now), *_template(obj)]


def replica_set_cells(obj: Obj, now: float) -> Cells:
    """PrintReplicaSet, printReplicationController."""
    state = obj.get("status") or {}
    counts = [obj["spec"].get("replicas", 0), state.get("replicas", 0), state.get("readyReplicas", 0)]
    return [name_of(obj), *counts, age_of(obj, now), *_template(obj)]


def stateful_set_cells(obj: Obj, now: float) -> Cells:
    """PrintStatefulSet."""
    ready = f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [name_of(obj), ready, age_of(obj, now), *_containers(obj["spec"]["template"]["spec"])]


def daemon_set_cells(obj: Obj, now: float) -> Cells:
    """PrintDaemonSet."""
    state = obj.get("status") or {}
    names = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    selector = labels_text(obj["spec"]["template"]["spec"].get("nodeSelector"))
    return [name_of(obj), *(state.get(name, 0) for name in names), selector, age_of(obj, now), *_template(obj)]


def job_cells(obj: Obj, now: float) -> Cells:
    """PrintJob."""
    spec, state = obj["spec"], obj.get("status") or {}
    done = state.get("succeeded", 0)
    parallel = spec.get("parallelism", 0)
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    duration = ""
    if started := state.get("startTime"):
        ended = state.get("completionTime")
        duration = human((seconds_of(ended) if ended else now) - seconds_of(started))
    conditions = {item["type"] for item in state.get("conditions") or () if item.get("status") == "True"}
    shown = "Running"
    if "Complete" in conditions:
        shown = "Complete"
    elif "Failed" in conditions:
        shown = "Failed"
    elif "deletionTimestamp" in obj["metadata"]:
        shown = "Terminating"
    else:
        shown = next(
            (name for name in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if name in conditions), shown
        )
    return [name_of(obj), shown, completions, duration, age_of(obj, now), *_template(obj)]


def cron_job_cells(obj: Obj, now: float) -> Cells:
    """PrintCronJob."""
    spec, state = obj["spec"], obj.get("status") or {}
    last = age(state["lastScheduleTime"], now) if state.get("lastScheduleTime") else NONE
    suspend = str(bool(spec.get("suspend")))
    template = spec["jobTemplate"]["spec"]["template"]["spec"]
    active = len(state.get("active") or ())
    zone = spec.get("timeZone") or NONE
    return [name_of(obj), spec["schedule"], zone, suspend, active, last, age_of(obj, now), *_containers(template), NONE]


def autoscaler_cells(obj: Obj, now: float) -> Cells:
    """PrintHorizontalPodAutoscaler."""
    spec, state = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    reference = f"{target.get('kind', '')}/{target.get('name', '')}"
    limits = [str(spec.get("minReplicas", "<unset>")), str(spec.get("maxReplicas", 0))]
    return [name_of(obj), reference, _targets(spec), *limits, str(state.get("currentReplicas", 0)), age_of(obj, now)]


def _targets(spec: Tree) -> str:
    """FormatHPAMetrics, for resource metrics of which nothing is known."""
    found = []
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        target = resource.get("target") or {}
        if "averageUtilization" in target:
            found.append(f"{resource.get('name')}: <unknown>/{target['averageUtilization']}%")
        elif resource:
            found.append(f"{resource.get('name')}: <unknown>/{target.get('averageValue', '<auto>')}")
    return ", ".join(found) or "<none>"


def revision_cells(obj: Obj, now: float) -> Cells:
    """PrintControllerRevision."""
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    controller = f"{owner['kind'].lower()}.{owner['apiVersion'].partition('/')[0]}/{owner['name']}" if owner else NONE
    return [name_of(obj), controller, str(obj.get("revision", 0)), age_of(obj, now)]
