"""One Pod on its node: its containers are started, probed, restarted and ended, and its status is kept.

Source: k8s.io/kubernetes/pkg/kubelet (kubelet.go SyncPod, SyncTerminatingPod, SyncTerminatedPod;
kuberuntime/kuberuntime_manager.go doBackOff). Event texts are those of 1.36.
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.kernel import sleep, turn
from grader.embedded.core.kubelet.container import FIRST_BACKOFF, Container
from grader.embedded.core.kubelet.environment import ConfigError, kernel_hostname
from grader.embedded.core.kubelet.node import NodeState
from grader.embedded.core.kubelet.podstate import PodState
from grader.embedded.core.kubelet.running import CONFIG_RETRY, LAST_BACKOFF, Runner
from grader.embedded.core.kubelet.status import pod_status
from grader.embedded.core.machines import Machine
from grader.embedded.core.objects import is_deleting, is_pod_finished, parse_time, pod_ip, uid_of
from grader.embedded.core.programs.process import Process
from grader.embedded.core.programs.signals import SIGKILL
from grader.embedded.core.store import Obj

BACKOFF_FORGOTTEN = 600.0
"""After running that long a container's back-off starts anew, in seconds."""
DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
"""Reason and message of a Pod whose activeDeadlineSeconds are over (active_deadline.go)."""
LOST = {
    "terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "The container could not be located"}
}
"""The state of a container of which nothing is known any more (kubelet_pods.go convertToAPIContainerStatuses)."""


class PodWorker(PodState):
    """Runs one Pod.

    Attributes:
        containers: its containers, init containers first, ephemeral ones last.
        failure: reason and message with which the kubelet ends it, None while it does not.
        runner: what runs its containers.

    """

    def __init__(self, kubelet: NodeState, pod: Obj) -> None:
        super().__init__(kubelet, pod)
        spec = pod["spec"]
        self.init = [Container(item, "init") for item in spec.get("initContainers") or ()]
        self.main = [Container(item, "main") for item in spec.get("containers") or ()]
        if self.init:
            for held in [*self.init, *self.main]:
                held.state = {"waiting": {"reason": "PodInitializing"}}
        self.ephemeral: list[Container] = []
        self.containers = [*self.init, *self.main]
        self._remember(pod.get("status") or {})
        started = (pod.get("status") or {}).get("startTime")
        self._start = parse_time(started) if started else self.kernel.now()
        self.failure: tuple[str, str] | None = None
        self._deadline: float | None = None
        self._publish_due = False
        self._gone = False
        self.runner = Runner(self)
        self._task = self.kernel.spawn(self._run(), f"pod {self.key[0]}/{self.key[1]}")

    def container(self, name: str | None = None) -> Container | None:
        """A container by name; the default one without."""
        if name is None:
            annotations = self.pod["metadata"].get("annotations") or {}
            name = annotations.get("kubectl.kubernetes.io/default-container") or self.main[0].name
        return next((held for held in self.containers if held.name == name), None)

    def update(self, pod: Obj) -> None:
        """The stored Pod changed."""
        self.pod = pod
        for held in self.containers:
            specs = [*(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ())]
            new = next((spec for spec in specs if spec["name"] == held.name), held.spec)
            if new.get("image") != held.spec.get("image"):
                held.spec = new
                if held.process is not None:
                    self.event(
                        "Normal", "Killing", f"Container {held.name} definition changed, will be restarted", held
                    )
                    self.kernel.spawn(self.runner.stop(held, held.process, None), f"stop {held.name}")
            held.spec = new
        self._start_ephemeral()
        self._watch_deadline()
        if pod["spec"].get("readinessGates"):
            self.publish()  # somebody else may have written a gate's condition (kubelet.go ReconcileReadinessCondition)
        if is_deleting(pod) and not self.terminating:
            self.terminating = True
            self.kernel.spawn(self._terminate(), f"terminate {self.key[1]}")

    def forget(self) -> None:
        """The Pod is no longer stored: end everything at once."""
        if self._gone:
            return
        self._gone = True
        self._task.cancel()
        for held in self.containers:
            self._stop_tasks(held)
            if held.process is not None:
                held.process.kill(SIGKILL)
        self._leave_network()

    def _remember(self, status: dict[str, Any]) -> None:
        """Go on counting restarts where the process that ran this cluster before left off."""
        known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        for held in self.containers:
            held.restarts = next((c["restartCount"] for c in known if c["name"] == held.name), 0)
        specs = {spec["name"]: spec for spec in self.pod["spec"].get("ephemeralContainers") or ()}
        for told in status.get("ephemeralContainerStatuses") or ():
            if told["name"] in specs:  # it ended with that process, and runs only once
                held = Container(specs[told["name"]], "ephemeral")
                held.state = told["state"] if "terminated" in told["state"] else dict(LOST)
                held.container_id = told.get("containerID", "")
                self.ephemeral.append(held)
        self.containers += self.ephemeral

    # --- starting

    async def _run(self) -> None:
        await turn()
        self._publish()  # the address is told with the next status, when the first sync is done
        await self._mount_volumes()
        if not self._has_hostname():
            return
        self._join_network()
        self._start_ephemeral()
        for held in self.init:
            if not await self._run_init(held):
                return
        for held in self.main:
            if "waiting" in held.state:
                held.state = {"waiting": {"reason": "PodInitializing" if self.init else "ContainerCreating"}}
        for held in self.main:
            held.tasks.append(self.kernel.spawn(self._keep_running(held), f"{self.key[1]}/{held.name}"))

    async def _mount_volumes(self) -> None:
        """Wait until every volume's source is there."""
        told: set[str] = set()
        while True:
            missing = ""
            for volume in self.pod["spec"].get("volumes") or ():
                try:
                    self.volumes.set_up(self.pod, volume)
                except ConfigError as problem:
                    missing = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}'
                    break
            if not missing:
                return
            if missing not in told:
                told.add(missing)
                self.kubelet.context.recorder.event(
                    self.pod, "Warning", "FailedMount", missing, "kubelet", host=self.kubelet.node
                )
            await sleep(CONFIG_RETRY)

    def _has_hostname(self) -> bool:
        """Whether there is a host name for the sandbox (kuberuntime_sandbox.go); else the Pod never gets one."""
        try:
            kernel_hostname(self.pod)
        except ConfigError as problem:
            namespace, name = self.key
            why = f'Failed to generate sandbox config for pod "{name}_{namespace}({uid_of(self.pod)})": {problem}'
            self.event("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {why}")
            return False
        return True

    def _join_network(self) -> None:
        if self.pod["spec"].get("hostNetwork"):
            self.machine = self.kubelet.machine
        else:
            ip = self.kubelet.addresses.take(pod_ip(self.pod))
            self.machine = Machine(self.key[1], ip, "pod", self.kubelet.node)
            self.kubelet.network.add(self.machine)
            self.kubelet.host_ports.add(self.pod, ip, self.kubelet.pod_cidr)
        self.ip = self.machine.ip

    def _leave_network(self) -> None:
        machine, self.machine = self.machine, None
        if machine is not None and machine.kind == "pod":
            self.kubelet.network.remove(machine)
            self.kubelet.host_ports.remove(machine.ip)
            self.kubelet.addresses.release(machine.ip)

    async def _run_init(self, held: Container) -> bool:
        """Run one init container to its success; a sidecar only until it has started."""
        if held.is_sidecar:
            held.tasks.append(self.kernel.spawn(self._keep_running(held), f"{self.key[1]}/{held.name}"))
            while not held.started:
                await sleep(0.05)
            return True
        while True:
            code = await self.runner.run_once(held)
            if code == 0:
                return True
            if self.pod["spec"].get("restartPolicy") == "Never":
                self.publish()
                return False
            await self._back_off(held)

    async def _keep_running(self, held: Container) -> None:
        """Run a container, and again as the restart policy says."""
        policy = "Always" if held.is_sidecar else self.pod["spec"].get("restartPolicy", "Always")
        while True:
            code = await self.runner.run_once(held)
            self.publish()
            if self.terminating or self.failure or policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            await self._back_off(held)

    def _start_ephemeral(self) -> None:
        """Run ephemeral containers that are new, once each (kuberuntime_manager.go SyncPod, step 6)."""
        if self.machine is None or self.terminating or self.failure:
            return
        known = {held.name for held in self.ephemeral}
        for spec in self.pod["spec"].get("ephemeralContainers") or ():
            if spec["name"] not in known:
                held = Container(spec, "ephemeral")
                self.ephemeral.append(held)
                self.containers.append(held)
                held.tasks.append(self.kernel.spawn(self._run_ephemeral(held), f"{self.key[1]}/{held.name}"))
                self.publish()

    async def _run_ephemeral(self, held: Container) -> None:
        await self.runner.run_once(held)
        self.publish()

    async def _back_off(self, held: Container) -> None:
        """Wait before a restart (kuberuntime_manager.go doBackOff)."""
        terminated = held.state.get("terminated")
        if held.began and self.kernel.monotonic() - held.up_since > BACKOFF_FORGOTTEN:
            held.backoff = FIRST_BACKOFF
        first = held.restarts == 0 and held.backoff == FIRST_BACKOFF
        if terminated is not None:
            held.last = {"terminated": terminated}
        if first:
            held.backoff = FIRST_BACKOFF / 2  # the first restart comes at once
        else:
            held.backoff = max(FIRST_BACKOFF, min(LAST_BACKOFF, held.backoff * 2))
            namespace, name = self.key
            who = f"{held.name} pod={name}_{namespace}({uid_of(self.pod)})"
            message = f"back-off {_duration(held.backoff)} restarting failed container={who}"
            held.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
            self.event(
                "Warning", "BackOff", f"Back-off restarting failed container {who.replace(' pod=', ' in pod ')}", held
            )
            self.publish()
            await sleep(held.backoff)
        held.restarts += 1

    # --- ending

    def _watch_deadline(self) -> None:
        """Look again when the activeDeadlineSeconds are over, which may be set, and made less, at any time."""
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is not None and seconds != self._deadline:
            self._deadline = seconds
            self.kernel.call_later(max(0.0, self._start + seconds - self.kernel.now()), self._expire)

    def _expire(self) -> None:
        """Fail the Pod where its deadline is over (active_deadline.go, kubelet.go SyncTerminatingPod)."""
        over = self._deadline is not None and self.kernel.now() >= self._start + self._deadline
        if not over or is_pod_finished(self.pod) or self._gone or self.terminating or self.failure:
            return
        self.failure = DEADLINE
        self.event("Normal", *DEADLINE)
        self.publish()
        self.kernel.spawn(self._fail(), f"fail {self.key[1]}")

    async def _fail(self) -> None:
        await self._end_containers(None)
        self.publish()

    async def _terminate(self) -> None:
        """The Pod is to be deleted (kubelet.go SyncTerminatingPod, SyncTerminatedPod)."""
        await self._end_containers(self.pod["metadata"].get("deletionGracePeriodSeconds"))
        if self._gone:  # deleted by force meanwhile
            return
        self._publish()
        self._leave_network()
        await turn()
        self._gone = True
        stored = self.kubelet.context.store.get("pods", *self.key)
        if stored is not None and uid_of(stored) == uid_of(self.pod):
            self.kubelet.remove(stored)

    async def _end_containers(self, grace: float | None) -> None:
        """End all containers, within the grace period in seconds (None: that of the Pod's spec)."""
        self._task.cancel()
        async with self.runner.starting:  # a postStart is not cancelled
            pass
        stopping = []
        for held in self.containers:
            if held.process is not None and not self._gone:
                self.event("Normal", "Killing", f"Stopping container {held.name}", held)
                stop = self.runner.stop(held, held.process, grace, self._ending_before(held))
                stopping.append(self.kernel.spawn(stop, f"stop {held.name}"))
            else:
                self._stop_tasks(held)
        for task in stopping:
            await task
        for held in self.containers:
            self._stop_tasks(held)

    def _ending_before(self, held: Container) -> list[Process]:
        """What a sidecar outlives: the containers, and the sidecars after it (kuberuntime_termination_order.go)."""
        if not held.is_sidecar:
            return []
        later = [other for other in self.init[self.init.index(held) + 1 :] if other.is_sidecar]
        return [other.process for other in [*self.main, *later] if other.process is not None]

    def _stop_tasks(self, held: Container) -> None:
        tasks, held.tasks = held.tasks, []
        for task in tasks:
            task.cancel()

    # --- telling

    def publish(self) -> None:
        """Write the status soon, once for all changes of this turn."""
        if not self._publish_due:
            self._publish_due = True
            self.kernel.call_soon(self._publish)

    def _publish(self) -> None:
        self._publish_due = False
        if self._gone or self.runner.hooking:
            return
        stored = self.kubelet.context.store.get("pods", *self.key)
        if stored is None or uid_of(stored) != uid_of(self.pod):
            return
        status = pod_status(
            stored,
            list(self.init),
            list(self.main),
            host_ip=self.kubelet.ip,
            ip=self.ip,
            start=self._start,
            sandbox=self.machine is not None,
            now=self.kernel.now(),
            ephemeral=self.ephemeral,
            failure=self.failure,
        )
        if status["phase"] in ("Succeeded", "Failed") and self.machine is not None:
            self._leave_network()  # its sandbox is stopped, while the status keeps the address
            self._publish()
            return
        self.kubelet.context.update_status("pods", stored, status)


def _duration(seconds: float) -> str:
    """Go's time.Duration text for whole seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
