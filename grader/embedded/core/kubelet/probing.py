"""When a container is probed, and what follows from the results.

Source: k8s.io/kubernetes/pkg/kubelet/prober/worker.go, prober.go.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from grader.embedded.core.kernel import Kernel, Task, sleep, turn
from grader.embedded.core.kubelet.container import Container
from grader.embedded.core.kubelet.podstate import PodState
from grader.embedded.core.kubelet.probes import USER_AGENT, Result, probe
from grader.embedded.core.programs.process import Process

Execute = Callable[[Container, list[str]], Process]
Stop = Callable[[Container, Process, float | None], Coroutine[Any, Any, None]]

CANCELLED = "Readiness probe errored and resulted in unknown state: rpc error: code = Canceled desc = context canceled"
"""Of a probe that runs a command while the Pod ends: it runs in the context of the Pod's sync, which is cancelled then
(prober.go newExecInContainer, pod_workers.go cancelFn; seen on kind). What was found before stays."""


class Prober:
    """Probes the containers of one Pod.

    Args:
        worker: the Pod.
        execute: runs a command in a container.
        stop: ends a run of a container, within seconds of grace (None: those of the Pod's spec).
    """

    def __init__(self, worker: PodState, execute: Execute, stop: Stop) -> None:
        self.worker = worker
        self.kernel: Kernel = worker.kernel
        self._execute = execute
        self._stop = stop

    def start(self, held: Container, process: Process) -> list[Task[Any]]:
        """Begin probing a run of a container; the tasks end with it."""
        tasks = []
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if spec := held.spec.get(kind):
                name = f"{self.worker.key[1]}/{held.name} {kind}"
                tasks.append(self.kernel.spawn(self._loop(held, process, kind, spec), name))
        return tasks

    async def _loop(self, held: Container, process: Process, kind: str, spec: dict[str, Any]) -> None:
        """Prober/worker.go: results count in a row; liveness and readiness wait for startup."""
        await turn()
        if delay := spec.get("initialDelaySeconds"):
            await sleep(float(delay))
        period = float(spec.get("periodSeconds") or 10)
        needed = {True: int(spec.get("successThreshold") or 1), False: int(spec.get("failureThreshold") or 3)}
        last: bool | None = None
        in_a_row = 0
        while held.process is process:
            if kind != "startupProbe" and not held.started:
                await sleep(min(period, 0.1))
                continue
            if kind != "readinessProbe" and self.worker.terminating:
                return
            if spec.get("exec") and self.worker.terminating:
                self.worker.event("Warning", "Unhealthy", CANCELLED, held)
                await sleep(period)
                continue
            result = await self.once(held, spec)
            if held.process is not process:
                return
            title = {"startupProbe": "Startup", "livenessProbe": "Liveness", "readinessProbe": "Readiness"}[kind]
            if not result.ok:
                self.worker.event("Warning", "Unhealthy", f"{title} probe failed: {result.text}", held)
            in_a_row = in_a_row + 1 if result.ok == last else 1
            last = result.ok
            if in_a_row >= needed[result.ok] and self._judge(held, process, kind, result.ok):
                return
            await sleep(period)

    def _judge(self, held: Container, process: Process, kind: str, ok: bool) -> bool:
        """Act on a probe's result; returns whether the probe is done."""
        if kind == "readinessProbe":
            if held.probed_ready != ok:
                held.probed_ready = ok
                self.worker.publish()
            return False
        if kind == "startupProbe" and ok:
            held.started = True
            self.worker.publish()
            return True
        if not ok:
            what = "startup" if kind == "startupProbe" else "liveness"
            message = f"Container {held.name} failed {what} probe, will be restarted"
            self.worker.event("Normal", "Killing", message, held)
            grace = held.spec[kind].get("terminationGracePeriodSeconds")
            self.kernel.spawn(self._stop(held, process, grace), f"stop {held.name}")
            return True
        return False

    async def once(self, held: Container, spec: dict[str, Any], agent: str = USER_AGENT) -> Result:
        """Probe a container now; `agent` is who asks by HTTP."""
        if self.worker.machine is None:
            return Result(False, "the Pod has no network")
        return await probe(
            self.worker.kubelet.network,
            self.worker.kubelet.machine,
            self.worker.machine.ip,
            held.spec,
            spec,
            lambda argv: self._execute(held, argv),
            agent,
        )
