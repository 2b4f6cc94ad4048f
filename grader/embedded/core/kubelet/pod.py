"""One Pod on its node: its containers are started, probed, restarted and ended, and its status is kept.

Source: k8s.io/kubernetes/pkg/kubelet (kubelet.go SyncPod, SyncTerminatingPod; kuberuntime/kuberuntime_manager.go and
kuberuntime_container.go; images/image_manager.go; prober/worker.go). Event texts are those of 1.36.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grader.embedded.core.kernel import Event, Task, TimeoutError_, sleep, turn, with_timeout
from grader.embedded.core.kubelet import system
from grader.embedded.core.kubelet.environment import (
    ConfigError,
    base_files,
    container_environment,
    expand,
    pod_hostname,
    volume_contents,
    volume_files,
)
from grader.embedded.core.kubelet.logs import LogView
from grader.embedded.core.kubelet.machine import ContainerHost
from grader.embedded.core.kubelet.probes import Result, probe
from grader.embedded.core.kubelet.status import ContainerState, pod_status
from grader.embedded.core.network import Machine
from grader.embedded.core.objects import is_deleting, key_of, uid_of
from grader.embedded.core.programs.images import ImageSpec, ProgramNotFound, run
from grader.embedded.core.programs.process import SIGKILL, Process
from grader.embedded.core.store import Obj, timestamp

if TYPE_CHECKING:
    from grader.embedded.core.kubelet.agent import Kubelet

FIRST_BACKOFF, LAST_BACKOFF = 10.0, 300.0
"""Seconds between restarts, and between attempts to pull an image (kubelet.go backOffPeriod, MaxContainerBackOff)."""

BACKOFF_FORGOTTEN = 600.0
"""After running that long a container's back-off starts anew."""

CONFIG_RETRY = 1.0
"""Seconds until a missing ConfigMap or Secret is looked for again."""


class Container(ContainerState):
    """A container with what runs in it."""

    def __init__(self, spec: dict[str, Any], kind: Any) -> None:
        super().__init__(spec, kind)
        if kind == "main":
            self.state = {"waiting": {"reason": "ContainerCreating"}}
        self.image: ImageSpec | None = None
        self.host: ContainerHost | None = None
        self.process: Process | None = None
        self.log: LogView | None = None
        self.previous_log: LogView | None = None
        self.tasks: list[Task[Any]] = []
        self.backoff = FIRST_BACKOFF
        self.began = 0.0
        self.kill_reason = ""


class PodWorker:
    """Runs one Pod.

    Attributes:
        pod: the Pod as last stored.
        containers: its containers, init containers first.
        machine: its network namespace, None before it has one.

    """

    def __init__(self, kubelet: Kubelet, pod: Obj) -> None:
        self.kubelet = kubelet
        self.kernel = kubelet.context.kernel
        self.pod = pod
        self.key = key_of(pod)
        self.machine: Machine | None = None
        spec = pod["spec"]
        self.init = [Container(item, "init") for item in spec.get("initContainers") or ()]
        self.main = [Container(item, "main") for item in spec.get("containers") or ()]
        if self.init:
            for held in [*self.init, *self.main]:
                held.state = {"waiting": {"reason": "PodInitializing"}}
        self.containers = [*self.init, *self.main]
        self._start = self.kernel.now()
        self._terminating = False
        self._publish_due = False
        self._gone = False
        self._files: dict[str, bytes] = {}
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
                    self._event(
                        "Normal", "Killing", f"Container {held.name} definition changed, will be restarted", held
                    )
                    self.kernel.spawn(self._stop(held, held.process, None), f"stop {held.name}")
            held.spec = new
        if is_deleting(pod) and not self._terminating:
            self._terminating = True
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

    # --- starting

    async def _run(self) -> None:
        await turn()
        self.publish()
        await self._mount_volumes()
        self._join_network()
        self.publish()
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
                    list(volume_contents(self.kubelet.context.store, self.pod, volume, self.kubelet.ip))
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

    def _join_network(self) -> None:
        if self.pod["spec"].get("hostNetwork"):
            self.machine = self.kubelet.machine
        else:
            ip = self.kubelet.addresses.take()
            self.machine = Machine(self.key[1], ip, "pod", self.kubelet.node)
            self.kubelet.network.add(self.machine)

    def _leave_network(self) -> None:
        machine, self.machine = self.machine, None
        if machine is not None and machine.kind == "pod":
            self.kubelet.network.remove(machine)
            self.kubelet.addresses.release(machine.ip)

    async def _run_init(self, held: Container) -> bool:
        """Run one init container to its success; a sidecar only until it has started."""
        if held.is_sidecar:
            held.tasks.append(self.kernel.spawn(self._keep_running(held), f"{self.key[1]}/{held.name}"))
            while not held.started:
                await sleep(0.05)
            return True
        while True:
            code = await self._run_once(held)
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
            code = await self._run_once(held)
            self.publish()
            if self._terminating or policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            await self._back_off(held)

    async def _back_off(self, held: Container) -> None:
        """Wait before a restart (kuberuntime_manager.go doBackOff)."""
        terminated = held.state.get("terminated")
        now = self.kernel.now()
        if held.began and now - held.began > BACKOFF_FORGOTTEN:
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
            self._event(
                "Warning", "BackOff", f"Back-off restarting failed container {who.replace(' pod=', ' in pod ')}", held
            )
            self.publish()
            await sleep(held.backoff)
        held.restarts += 1

    # --- one run of a container

    async def _run_once(self, held: Container) -> int:
        """Start a container and wait for its end; returns its exit code."""
        image = await self._pull(held)
        held.image = image
        while True:
            try:
                held.host = self._host(held)
                break
            except ConfigError as problem:
                reason = {"reason": "CreateContainerConfigError", "message": str(problem)}
                if held.state != {"waiting": reason}:
                    held.state = {"waiting": reason}
                    self._event("Warning", "Failed", f"Error: {problem}", held)
                    self.publish()
                await sleep(CONFIG_RETRY)
        held.container_id = f"containerd://{self._new_id(held)}"
        self._event("Normal", "Created", "Container created", held)
        if held.log is not None:
            held.previous_log = held.log
        held.log = LogView(self.kernel)
        variables = held.host.env
        command = [expand(item, variables) for item in held.spec.get("command") or ()]
        args = [expand(item, variables) for item in held.spec.get("args") or ()]
        try:
            process = self._start_process(held, image, image.command(command or None, args or None))
        except ProgramNotFound as failure:
            return self._could_not_start(held, failure)
        held.process = process
        held.began = self.kernel.now()
        held.kill_reason = ""
        process.on_output(held.log.write)
        ended = Event()
        process.on_exit(lambda _code: ended.set())
        stop_serving = self._serve_dns(held)
        held.state = {"running": {"startedAt": timestamp(held.began)}}
        held.started = held.spec.get("startupProbe") is None
        held.probed_ready = held.spec.get("readinessProbe") is None
        self._event("Normal", "Started", "Container started", held)
        probes = self._start_probes(held, process)
        if self._terminating:
            process.kill(SIGKILL)
        self.publish()
        await ended.wait()
        stop_serving()
        for task in probes:
            task.cancel()
        return self._ended(held, process)

    def _start_process(self, held: Container, image: ImageSpec, argv: list[str]) -> Process:
        assert held.host is not None
        if system.is_system(held.spec["image"]):
            return system.start(self.kernel, argv)
        return run(
            held.host,
            image,
            argv,
            stdin=bool(held.spec.get("stdin")),
            tty=bool(held.spec.get("tty")),
            init=True,
        )

    def _serve_dns(self, held: Container) -> Callable[[], None]:
        if self.machine is not None and system.is_coredns(held.spec["image"]):
            return self.kubelet.nameserver.serve(self.machine)
        return lambda: None

    def _could_not_start(self, held: Container, failure: ProgramNotFound) -> int:
        text = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
            f"runc create failed: {failure}"
        )
        self._event("Warning", "Failed", f"Error: {text}", held)
        now = timestamp(self.kernel.now())
        held.state = {
            "terminated": {
                "exitCode": 128,
                "reason": "StartError",
                "message": text,
                "startedAt": "1970-01-01T00:00:00Z",
                "finishedAt": now,
                "containerID": held.container_id,
            }
        }
        return 128

    def _ended(self, held: Container, process: Process) -> int:
        code = process.exit_code or 0
        held.process = None
        held.started = held.probed_ready = False
        if held.host is not None:
            held.host.stop()
        if held.log is not None:
            held.log.end()
        held.state = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "startedAt": timestamp(held.began),
                "finishedAt": timestamp(self.kernel.now()),
                "containerID": held.container_id,
            }
        }
        return code

    async def _pull(self, held: Container) -> ImageSpec:
        """Wait until the image is there (images/image_manager.go EnsureImageExists)."""
        backoff = FIRST_BACKOFF
        while True:
            reference = held.spec["image"]
            policy = held.spec.get("imagePullPolicy", "IfNotPresent")
            image = system.find_image(reference)
            if image is not None:
                if policy == "Always":
                    self._event("Normal", "Pulling", f'Pulling image "{reference}"', held)
                    size = 20_000_000 + int(hashlib.sha256(reference.encode()).hexdigest()[:6], 16)
                    message = (
                        f'Successfully pulled image "{reference}" in 12ms (12ms including waiting). '
                        f"Image size: {size} bytes."
                    )
                    self._event("Normal", "Pulled", message, held)
                else:
                    message = f'Container image "{reference}" already present on machine and can be accessed by the pod'
                    self._event("Normal", "Pulled", message, held)
                return image
            if policy == "Never":
                message = f'Container image "{reference}" is not present with pull policy of Never'
                self._event("Warning", "ErrImageNeverPull", message, held)
                self._event("Warning", "Failed", "Error: ErrImageNeverPull", held)
                held.state = {"waiting": {"reason": "ErrImageNeverPull", "message": message}}
                self.publish()
                await sleep(backoff)
                continue
            why = pull_failure(reference)
            self._event("Normal", "Pulling", f'Pulling image "{reference}"', held)
            self._event("Warning", "Failed", f'Failed to pull image "{reference}": {why}', held)
            self._event("Warning", "Failed", "Error: ErrImagePull", held)
            held.state = {"waiting": {"reason": "ErrImagePull", "message": why}}
            self.publish()
            await sleep(1.0)
            self._event("Normal", "BackOff", f'Back-off pulling image "{reference}"', held)
            self._event("Warning", "Failed", "Error: ImagePullBackOff", held)
            message = f'Back-off pulling image "{reference}": ErrImagePull: {why}'
            held.state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            self.publish()
            waited = 0.0
            while waited < backoff and held.spec["image"] == reference:
                await sleep(1.0)
                waited += 1.0
            backoff = min(LAST_BACKOFF, backoff * 2)

    def _host(self, held: Container) -> ContainerHost:
        """The machine as the container sees it. Raises ConfigError."""
        assert self.machine is not None
        context = self.kubelet.context
        env = container_environment(context.store, context.index, self._with_ip(), held.spec, self.kubelet.ip)
        files = base_files(self.pod, self.machine.ip)
        files.update(volume_files(context.store, self._with_ip(), held.spec, self.kubelet.ip))
        return ContainerHost(
            self.kubelet.network,
            self.kubelet.nameserver,
            self.kernel,
            self.machine,
            pod_hostname(self.pod),
            env,
            files,
        )

    def _with_ip(self) -> Obj:
        assert self.machine is not None
        return {**self.pod, "status": {**(self.pod.get("status") or {}), "podIP": self.machine.ip}}

    def _new_id(self, held: Container) -> str:
        return hashlib.sha256(f"{uid_of(self.pod)}/{held.name}/{held.restarts}".encode()).hexdigest()

    # --- probes

    def _start_probes(self, held: Container, process: Process) -> list[Task[Any]]:
        tasks = []
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if spec := held.spec.get(kind):
                name = f"{self.key[1]}/{held.name} {kind}"
                tasks.append(self.kernel.spawn(self._probe_loop(held, process, kind, spec), name))
        return tasks

    async def _probe_loop(self, held: Container, process: Process, kind: str, spec: dict[str, Any]) -> None:
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
            if kind != "readinessProbe" and self._terminating:
                return
            result = await self._probe_once(held, spec)
            if held.process is not process:
                return
            title = {"startupProbe": "Startup", "livenessProbe": "Liveness", "readinessProbe": "Readiness"}[kind]
            if not result.ok:
                self._event("Warning", "Unhealthy", f"{title} probe failed: {result.text}", held)
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
                self.publish()
            return False
        if kind == "startupProbe" and ok:
            held.started = True
            self.publish()
            return True
        if not ok:
            what = "startup" if kind == "startupProbe" else "liveness"
            message = f"Container {held.name} failed {what} probe, will be restarted"
            self._event("Normal", "Killing", message, held)
            grace = held.spec[kind].get("terminationGracePeriodSeconds")
            self.kernel.spawn(self._stop(held, process, grace), f"stop {held.name}")
            return True
        return False

    async def _probe_once(self, held: Container, spec: dict[str, Any]) -> Result:
        if self.machine is None:
            return Result(False, "the Pod has no network")
        return await probe(
            self.kubelet.network,
            self.kubelet.machine,
            self.machine.ip,
            held.spec,
            spec,
            lambda argv: self.execute(held, argv),
        )

    def execute(self, held: Container, argv: list[str], *, stdin: bool = False, tty: bool = False) -> Process:
        """Run a command in a running container. Raises ProgramNotFound."""
        assert held.host is not None and held.image is not None and held.process is not None
        process = run(held.host, held.image, argv, stdin=stdin, tty=tty)
        held.process.on_exit(lambda _code: process.kill(SIGKILL))
        return process

    # --- ending

    async def _stop(self, held: Container, process: Process, grace: float | None) -> None:
        """Ask a container to end, and end it when the grace period is over."""
        seconds = float(self.pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace)
        deadline = self.kernel.now() + seconds
        if hook := (held.spec.get("lifecycle") or {}).get("preStop"):
            try:
                await with_timeout(max(0.001, seconds), self._hook(held, hook))
            except TimeoutError_:
                pass
        if process.exit_code is None:
            process.kill(held.image.stop_signal if held.image is not None else 15)
        try:
            await with_timeout(max(0.0, deadline - self.kernel.now()), process.wait())
        except TimeoutError_:
            process.kill(SIGKILL)

    async def _hook(self, held: Container, hook: dict[str, Any]) -> None:
        if pause := hook.get("sleep"):
            await sleep(float(pause["seconds"]))
        elif command := hook.get("exec"):
            try:
                code = await self.execute(held, command.get("command") or []).wait()
            except ProgramNotFound as failure:
                code = 126
                self._event("Warning", "FailedPreStopHook", f"PreStopHook failed: {failure}", held)
            else:
                if code:
                    self._event("Warning", "FailedPreStopHook", f"PreStopHook failed: exit status {code}", held)
        elif http := hook.get("httpGet"):
            await self._probe_once(held, {"httpGet": http, "timeoutSeconds": 30})

    async def _terminate(self) -> None:
        """The Pod is to be deleted (kubelet.go SyncTerminatingPod, SyncTerminatedPod)."""
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds")
        self._task.cancel()
        stopping = []
        for held in self.containers:
            if held.process is not None:
                self._event("Normal", "Killing", f"Stopping container {held.name}", held)
                stopping.append(self.kernel.spawn(self._stop(held, held.process, grace), f"stop {held.name}"))
            else:
                self._stop_tasks(held)
        for task in stopping:
            await task
        while any(held.process is not None for held in self.containers):
            await turn()
        for held in self.containers:
            self._stop_tasks(held)
        self._publish()
        self._leave_network()
        await turn()
        self._gone = True
        stored = self.kubelet.context.store.get("pods", *self.key)
        if stored is not None and uid_of(stored) == uid_of(self.pod):
            self.kubelet.remove(stored)

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
        if self._gone:
            return
        stored = self.kubelet.context.store.get("pods", *self.key)
        if stored is None or uid_of(stored) != uid_of(self.pod):
            return
        status = pod_status(
            stored,
            list(self.init),
            list(self.main),
            host_ip=self.kubelet.ip,
            ip=self.machine.ip if self.machine is not None else "",
            start=self._start,
            sandbox=self.machine is not None,
            now=self.kernel.now(),
        )
        self.kubelet.context.update_status("pods", stored, status)

    def _event(self, type_: str, reason: str, message: str, held: Container) -> None:
        field = "initContainers" if held.kind == "init" else "containers"
        self.kubelet.context.recorder.event(
            self.pod,
            type_,
            reason,
            message,
            "kubelet",
            host=self.kubelet.node,
            field_path=f"spec.{field}{{{held.name}}}",
        )


def pull_failure(reference: str) -> str:
    """Why an image cannot be had here: the embedded cluster knows only the images that the course uses."""
    from grader.embedded.core.kubelet.status import full_image_name

    full = full_image_name(reference)
    repository, _, tag = full.rpartition(":")
    return (
        f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
        f"{repository}:{tag} is not an image that the embedded cluster emulates: not found"
    )


def _duration(seconds: float) -> str:
    """Go's time.Duration text for whole seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
