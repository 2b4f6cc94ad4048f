"""The row of a Pod: printPod in pkg/printers/internalversion/printers.go (1.36)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.read.durations import age
from grader.embedded.core.store import Obj

Tree = dict[str, Any]


def pod_cells(pod: Obj, now: float) -> list[Any]:
    """Name, Ready, Status, Restarts, Age, and the wide columns."""
    spec, state, meta = pod["spec"], pod.get("status") or {}, pod["metadata"]
    row = _Row(pod)
    row.initial_containers()
    if not row.initializing or _condition(state, "Initialized"):
        row.containers()
    reason = row.reason
    if "deletionTimestamp" in meta and state.get("reason") == "NodeLost":
        reason = "Unknown"
    elif "deletionTimestamp" in meta and state.get("phase") not in ("Failed", "Succeeded"):
        reason = "Terminating"
    restarts = str(row.restarts)
    if row.restarts and row.last_restart:
        restarts = f"{row.restarts} ({age(row.last_restart, now)} ago)"
    ips = state.get("podIPs") or ()
    return [
        meta["name"],
        f"{row.ready}/{row.total}",
        reason,
        restarts,
        age(meta.get("creationTimestamp"), now),
        ips[0]["ip"] if ips else "<none>",
        spec.get("nodeName") or "<none>",
        state.get("nominatedNodeName") or "<none>",
        _gates(spec, state),
    ]


def _condition(state: Tree, name: str) -> bool:
    return any(item["type"] == name and item["status"] == "True" for item in state.get("conditions") or ())


def _gates(spec: Tree, state: Tree) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return "<none>"
    return f"{sum(_condition(state, gate['conditionType']) for gate in gates)}/{len(gates)}"


def _ended(terminated: Tree) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


class _Row:
    """What the containers of a Pod add up to."""

    def __init__(self, pod: Obj) -> None:
        spec, state = pod["spec"], pod.get("status") or {}
        self._state: Tree = state
        self._initial = {container["name"]: container for container in spec.get("initContainers") or ()}
        self._count = len(self._initial)
        self.total = len(spec.get("containers") or ()) + sum(self._restartable(name) for name in self._initial)
        self.ready = self.restarts = self._sidecar_restarts = 0
        self.last_restart = self._sidecar_restart = ""
        self.initializing = False
        self.reason: str = state.get("reason") or state.get("phase") or ""
        for item in state.get("conditions") or ():
            if item["type"] == "PodScheduled" and item.get("reason") == "SchedulingGated":
                self.reason = "SchedulingGated"

    def _restartable(self, name: str) -> bool:
        return bool(self._initial.get(name, {}).get("restartPolicy") == "Always")

    def initial_containers(self) -> None:
        """Count init containers and stop at the first that has not finished."""
        for index, container in enumerate(self._state.get("initContainerStatuses") or ()):
            name, state = container["name"], container.get("state") or {}
            ended = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt", "")
            self.restarts += container.get("restartCount", 0)
            self.last_restart = max(self.last_restart, ended)
            if self._restartable(name):
                self._sidecar_restarts += container.get("restartCount", 0)
                self._sidecar_restart = max(self._sidecar_restart, ended)
            terminated, waiting = state.get("terminated"), state.get("waiting") or {}
            if terminated is not None and not terminated.get("exitCode"):
                continue
            if self._restartable(name) and container.get("started"):
                self.ready += bool(container.get("ready"))
                continue
            if terminated is not None:
                self.reason = f"Init:{_ended(terminated)}"
            elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
                self.reason = f"Init:{waiting['reason']}"
            else:
                self.reason = f"Init:{index}/{self._count}"
            self.initializing = True
            break

    def containers(self) -> None:
        """Count ordinary containers; the first one with something to say gives the reason."""
        self.restarts, self.last_restart = self._sidecar_restarts, self._sidecar_restart
        running, error = False, ""
        for container in reversed(self._state.get("containerStatuses") or ()):
            self.restarts += container.get("restartCount", 0)
            ended = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt", "")
            self.last_restart = max(self.last_restart, ended)
            state = container.get("state") or {}
            if (state.get("waiting") or {}).get("reason"):
                self.reason = state["waiting"]["reason"]
            elif state.get("terminated") is not None:
                self.reason = _ended(state["terminated"])
                if state["terminated"].get("exitCode"):
                    error = self.reason
            elif container.get("ready") and "running" in state:
                running = True
                self.ready += 1
        if self.reason == "Completed":
            if running and _condition(self._state, "Ready"):
                self.reason = "Running"
            elif error:
                self.reason = error
            elif running:
                self.reason = "NotReady"
