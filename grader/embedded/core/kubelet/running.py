"""One run of a container: its image is pulled, it is created, started, executed in, and ended.

Source: k8s.io/kubernetes/pkg/kubelet (kuberuntime/kuberuntime_container.go startContainer and killContainer,
images/image_manager.go EnsureImageExists, lifecycle/handlers.go). Event texts are those of 1.36.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from grader.embedded.core.kernel import Kernel, Lock, TimeoutError_, sleep, with_timeout
from grader.embedded.core.kubelet import system, termination
from grader.embedded.core.kubelet.container import FIRST_BACKOFF, Container
from grader.embedded.core.kubelet.environment import (
    ConfigError,
    base_files,
    container_environment,
    expand,
    kernel_hostname,
)
from grader.embedded.core.kubelet.hooks import AGENT, run_hook
from grader.embedded.core.kubelet.logs import LogView
from grader.embedded.core.kubelet.machine import ContainerHost
from grader.embedded.core.kubelet.podstate import PodState
from grader.embedded.core.kubelet.probing import Prober
from grader.embedded.core.kubelet.security import is_root_read_only, user_of_container, verify_non_root
from grader.embedded.core.kubelet.status import full_image_name
from grader.embedded.core.objects import uid_of
from grader.embedded.core.programs.images.releases import AS_OF
from grader.embedded.core.programs.images.running import ProgramNotFound, repositories, run, split_reference
from grader.embedded.core.programs.images.specs import ImageSpec
from grader.embedded.core.programs.images.users import home_of
from grader.embedded.core.programs.mounts import KEPT, MountedFiles
from grader.embedded.core.programs.process import Process
from grader.embedded.core.programs.signals import SIGKILL
from grader.embedded.core.store import Obj, timestamp

LEAST_GRACE = 2.0
"""What a container gets after the signal in any case (kuberuntime_manager.go minimumGracePeriodInSeconds)."""
LAST_BACKOFF = 300.0
"""Seconds between attempts to pull an image, at the most (kubelet.go MaxContainerBackOff)."""

SYNC = 1.0
"""Seconds until the kubelet notices that a container has ended (pleg/generic.go, one relist)."""
EXEC = 0.05
"""Seconds before a postStart takes effect: the program has had that long to begin."""
CONFIG_RETRY = 1.0
"""Seconds until a missing ConfigMap or Secret is looked for again."""


class Runner:
    """Runs the containers of one Pod.

    Attributes:
        worker: the Pod.
        prober: its probes.
        starting: held while a container starts.
        hooking: whether a postStart runs.

    """

    def __init__(self, worker: PodState) -> None:
        self.worker = worker
        self.prober = Prober(worker, self.execute, self.stop)
        self.kernel: Kernel = worker.kernel
        self.starting = Lock()
        self.hooking = False

    async def run_once(self, held: Container) -> int:
        """Start a container, once its image and configuration are there, and wait for its end.

        Returns its exit code. One container of a Pod starts at a time, its postStart included
        (kuberuntime_manager.go SyncPod).
        """
        while True:
            async with self.starting:
                image = self._pull(held)
                if image is not None and self._configure(held, image):
                    process = await self._start(held, image)
                    break
            await (self._wait_for_image(held) if image is None else sleep(CONFIG_RETRY))
        if process is None:
            return 128
        probes = [] if held.process is None else self.prober.start(held, process)
        self.worker.publish()
        try:
            return await process.wait()
        finally:  # a Pod that is deleted by force is probed no more either
            for task in probes:
                task.cancel()

    def _configure(self, held: Container, image: ImageSpec) -> bool:
        """Make the container's environment and files; whether what they need is there."""
        held.image = image
        try:
            verify_non_root(self.worker.pod, held.spec, image)
            held.user = user_of_container(self.worker.pod, held.spec, image)
            held.host = self._host(held, image)
        except ConfigError as problem:
            reason = {"reason": "CreateContainerConfigError", "message": str(problem)}
            if held.state != {"waiting": reason}:
                held.state = {"waiting": reason}
                self.worker.event("Warning", "Failed", f"Error: {problem}", held)
                self.worker.publish()
            return False
        return True

    async def _start(self, held: Container, image: ImageSpec) -> Process | None:
        """Start a container and run its postStart; None where there is nothing to run."""
        assert held.host is not None
        held.container_id = f"containerd://{self._new_id(held)}"
        self.worker.event("Normal", "Created", "Container created", held)
        if held.log is not None:
            held.previous_log = held.log
        held.log = LogView(self.kernel)
        variables = held.host.env
        command = [expand(item, variables) for item in held.spec.get("command") or ()]
        args = [expand(item, variables) for item in held.spec.get("args") or ()]
        try:
            process = self._start_process(held, image, image.command(command or None, args or None))
        except ProgramNotFound as failure:
            self._could_not_start(held, failure)
            return None
        held.process = process
        held.began, held.up_since = self.kernel.now(), self.kernel.monotonic()
        process.on_output(held.log.write)

        def ended(_code: int) -> None:  # whoever waits for it may be cancelled meanwhile
            self._ended(held, process)

        process.on_exit(ended)
        self.worker.event("Normal", "Started", "Container started", held)
        hook = (held.spec.get("lifecycle") or {}).get("postStart")
        if hook is None or await self._post_start(held, process, hook):
            self._runs(held, process)
        return process

    def _runs(self, held: Container, process: Process) -> None:
        """What is told of a container that has started, unless it has ended since."""
        if held.process is process:
            held.state = {"running": {"startedAt": timestamp(held.began)}}
            held.started = held.spec.get("startupProbe") is None
            held.probed_ready = held.spec.get("readinessProbe") is None

    async def _post_start(self, held: Container, process: Process, hook: dict[str, Any]) -> bool:
        """Whether the container may go on; else it has been killed (kuberuntime_container.go startContainer).

        Until it is done nothing is told of the Pod, whose sync it holds up.
        """
        self.hooking = True
        try:
            await sleep(EXEC)
            problem = await self._hook(held, hook)
        finally:
            self.hooking = False
        if not problem:
            return True
        self.worker.event("Warning", "FailedPostStartHook", "PostStartHook failed", held)
        self.worker.event("Normal", "Killing", "FailedPostStartHook", held)
        await self.stop(held, process, None)
        if not self._is_last_run(held):
            held.last = held.state
            held.state = {"waiting": {"reason": "PostStartHookError", "message": problem}}
            self.worker.publish()
            await sleep(SYNC)
        return False

    def _start_process(self, held: Container, image: ImageSpec, argv: list[str]) -> Process:
        assert held.host is not None
        if system.is_system(held.spec["image"]):
            kubelet = self.worker.kubelet
            nodes = kubelet.context.store
            return system.start(
                held.spec["image"], argv, held.host, kubelet.nameserver, lambda: nodes.get("nodes", "", kubelet.node)
            )
        return run(
            held.host,
            image,
            argv,
            stdin=bool(held.spec.get("stdin")),
            tty=bool(held.spec.get("tty")),
            init=True,
            cwd=held.spec.get("workingDir") or "/",
            user=held.user,
        )

    def _is_last_run(self, held: Container) -> bool:
        """Whether a run that has failed is not followed by another one."""
        policy = self.worker.pod["spec"].get("restartPolicy")
        done = policy == "Never" or (policy == "OnFailure" and held.succeeded)
        return (done and not held.is_sidecar) or held.kind == "ephemeral"

    def _could_not_start(self, held: Container, failure: ProgramNotFound) -> None:
        text = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
            f"runc create failed: {failure}"
        )
        self.worker.event("Warning", "Failed", f"Error: {text}", held)
        now = timestamp(self.kernel.now())
        ended = {
            "terminated": {
                "exitCode": 128,
                "reason": "StartError",
                "message": text,
                "startedAt": "1970-01-01T00:00:00Z",
                "finishedAt": now,
                "containerID": held.container_id,
            }
        }
        if self._is_last_run(held):
            held.state = ended
        else:
            held.state = {"waiting": {"reason": "RunContainerError", "message": text}}
            held.last = ended

    def _ended(self, held: Container, process: Process) -> None:
        code = process.exit_code or 0
        held.process = None
        held.started = held.probed_ready = False
        if held.host is not None:
            held.host.stop()
        if held.log is not None:
            held.log.end()
        ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": timestamp(held.began),
            "finishedAt": timestamp(self.kernel.now()),
            "containerID": held.container_id,
        }
        if said := termination.message(held.spec, held.told, code, held.log.lines if held.log else ()):
            ended["message"] = said
        held.state = {"terminated": ended}
        self.worker.publish()

    def _pull(self, held: Container) -> ImageSpec | None:
        """The image where it can be had (images/image_manager.go EnsureImageExists)."""
        reference = held.spec["image"]
        image = system.find_image(reference)
        if image is None:
            return None
        if held.spec.get("imagePullPolicy", "IfNotPresent") == "Always":
            self.worker.event("Normal", "Pulling", f'Pulling image "{reference}"', held)
            size = 20_000_000 + int(hashlib.sha256(reference.encode()).hexdigest()[:6], 16)
            message = (
                f'Successfully pulled image "{reference}" in 12ms (12ms including waiting). Image size: {size} bytes.'
            )
        else:
            message = f'Container image "{reference}" already present on machine and can be accessed by the pod'
        self.worker.event("Normal", "Pulled", message, held)
        return image

    async def _wait_for_image(self, held: Container) -> None:
        """Tell why the image cannot be had, until another one is wanted."""
        backoff = FIRST_BACKOFF
        while True:
            reference = held.spec["image"]
            if system.find_image(reference) is not None:
                return
            if held.spec.get("imagePullPolicy") == "Never":
                message = f'Container image "{reference}" is not present with pull policy of Never'
                self.worker.event("Warning", "ErrImageNeverPull", message, held)
                self.worker.event("Warning", "Failed", "Error: ErrImageNeverPull", held)
                held.state = {"waiting": {"reason": "ErrImageNeverPull", "message": message}}
                self.worker.publish()
                await sleep(backoff)
                continue
            why = pull_failure(reference)
            self.worker.event("Normal", "Pulling", f'Pulling image "{reference}"', held)
            self.worker.event("Warning", "Failed", f'Failed to pull image "{reference}": {why}', held)
            self.worker.event("Warning", "Failed", "Error: ErrImagePull", held)
            held.state = {"waiting": {"reason": "ErrImagePull", "message": why}}
            self.worker.publish()
            await sleep(1.0)
            self.worker.event("Normal", "BackOff", f'Back-off pulling image "{reference}"', held)
            self.worker.event("Warning", "Failed", "Error: ImagePullBackOff", held)
            message = f'Back-off pulling image "{reference}": ErrImagePull: {why}'
            held.state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            self.worker.publish()
            waited = 0.0
            while waited < backoff and held.spec["image"] == reference:
                await sleep(1.0)
                waited += 1.0
            backoff = min(LAST_BACKOFF, backoff * 2)

    def _host(self, held: Container, image: ImageSpec) -> ContainerHost:
        """The machine as the container sees it. Raises ConfigError."""
        assert self.worker.machine is not None
        context = self.worker.kubelet.context
        env = container_environment(context.store, context.index, self._with_ip(), held.spec, self.worker.kubelet.ip)
        held.told = {}
        last_words = termination.mount(held.spec, held.told)
        files = MountedFiles(
            base_files(self.worker.pod, self.worker.machine.ip),
            [*self.worker.volumes.mounts(held.spec, env), last_words],
        )
        folder = held.spec.get("workingDir") or "/"
        if folder != "/":  # the runtime makes it where it is not there (containerd, oci.WithProcessCwd)
            files.setdefault(f"{folder.rstrip('/')}/{KEPT}", b"")
        files.read_only_root = is_root_read_only(held.spec)
        files.user, files.home = held.user, home_of(image, held.user.uid)
        return ContainerHost(
            self.worker.kubelet.network,
            self.worker.kubelet.nameserver,
            self.kernel,
            self.worker.machine,
            kernel_hostname(self.worker.pod),
            env,
            files,
        )

    def _with_ip(self) -> Obj:
        assert self.worker.machine is not None
        return {**self.worker.pod, "status": {**(self.worker.pod.get("status") or {}), "podIP": self.worker.machine.ip}}

    def _new_id(self, held: Container) -> str:
        return hashlib.sha256(f"{uid_of(self.worker.pod)}/{held.name}/{held.restarts}".encode()).hexdigest()

    def execute(self, held: Container, argv: list[str], *, stdin: bool = False, tty: bool = False) -> Process:
        """Run a command in a running container. Raises ProgramNotFound."""
        assert held.host is not None and held.image is not None and held.process is not None
        cwd = held.spec.get("workingDir") or "/"
        process = run(held.host, held.image, argv, stdin=stdin, tty=tty, cwd=cwd, user=held.user)
        held.process.on_exit(lambda _code: process.kill(SIGKILL))
        return process

    async def stop(
        self, held: Container, process: Process, grace: float | None, before: Iterable[Process] = ()
    ) -> None:
        """Ask a container to end, and end it when the grace period is over (kuberuntime_container.go killContainer).

        Args:
            held: the container.
            process: the run of it that is to end.
            grace: seconds, None for those of the Pod's spec.
            before: what is to end first, where the grace period has room for it.

        """
        if process.exit_code is not None:
            return
        seconds = float(self.worker.pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace)
        deadline = self.kernel.monotonic() + seconds
        if (hook := (held.spec.get("lifecycle") or {}).get("preStop")) and seconds > 0:
            try:
                if await with_timeout(seconds, self._hook(held, hook)):
                    self.worker.event("Warning", "FailedPreStopHook", "PreStopHook failed", held)
            except TimeoutError_:
                pass
        try:
            for other in before:
                await with_timeout(max(0.0, deadline - self.kernel.monotonic()), other.wait())
        except TimeoutError_:
            pass
        if process.exit_code is None:
            process.kill(held.image.stop_signal if held.image is not None else 15)
        try:
            await with_timeout(max(LEAST_GRACE, deadline - self.kernel.monotonic()), process.wait())
        except TimeoutError_:
            process.kill(SIGKILL)

    async def _hook(self, held: Container, hook: dict[str, Any]) -> str:
        """Run a hook; returns why it failed, "" where it did not."""
        namespace, name = self.worker.key
        where = f'Container "{held.name}" in Pod "{name}_{namespace}({uid_of(self.worker.pod)})"'

        def fallback() -> None:
            host = f"{hook['httpGet'].get('host') or self.worker.ip}:{hook['httpGet']['port']}"
            message = f"request to HTTPS lifecycle hook {host} got HTTP response, retry with HTTP succeeded"
            self.worker.event("Warning", "LifecycleHTTPFallback", message)

        return await run_hook(
            hook,
            where,
            lambda argv: self.execute(held, argv),
            lambda spec: self.prober.once(held, spec, AGENT),
            fallback,
        )


def pull_failure(reference: str) -> str:
    """Why an image cannot be had: there is no such version, or the embedded cluster does not know the image."""
    full = full_image_name(reference)
    head = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {full}'
    repository, tag = split_reference(reference)
    if repository in repositories():
        name = repository.rsplit("/", 1)[-1]
        return f"{head}: not found ({name} has no tag {tag}, as of {AS_OF})"
    return (
        f"{head} is not an image that the embedded cluster emulates: not found"
        " (for any image, use a kind cluster: grader cluster up --kind)"
    )
