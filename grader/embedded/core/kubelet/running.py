"""One run of a container: its image is pulled, it is created, started, executed in, and ended.

Source: k8s.io/kubernetes/pkg/kubelet (kuberuntime/kuberuntime_container.go startContainer and killContainer,
images/image_manager.go EnsureImageExists, lifecycle/handlers.go). Event texts are those of 1.36.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from grader.embedded.core.kernel import Kernel, TimeoutError_, sleep, with_timeout
from grader.embedded.core.kubelet import system
from grader.embedded.core.kubelet.container import FIRST_BACKOFF, Container
from grader.embedded.core.kubelet.environment import (
    ConfigError,
    base_files,
    container_environment,
    expand,
    pod_hostname,
)
from grader.embedded.core.kubelet.logs import LogView
from grader.embedded.core.kubelet.machine import ContainerHost
from grader.embedded.core.kubelet.probing import Prober
from grader.embedded.core.kubelet.status import full_image_name
from grader.embedded.core.objects import uid_of
from grader.embedded.core.programs.images import ImageSpec, ProgramNotFound, run
from grader.embedded.core.programs.mounts import MountedFiles
from grader.embedded.core.programs.process import SIGKILL, Process
from grader.embedded.core.store import Obj, timestamp

if TYPE_CHECKING:
    from grader.embedded.core.kubelet.pod import PodWorker

LEAST_GRACE = 2.0
"""What a container gets after the signal in any case (kuberuntime_manager.go minimumGracePeriodInSeconds)."""
LAST_BACKOFF = 300.0
"""Seconds between attempts to pull an image, at the most (kubelet.go MaxContainerBackOff)."""

CONFIG_RETRY = 1.0
"""Seconds until a missing ConfigMap or Secret is looked for again."""


class Runner:
    """Runs the containers of one Pod.

    Attributes:
        worker: the Pod.
        prober: its probes.

    """

    def __init__(self, worker: PodWorker) -> None:
        self.worker = worker
        self.prober = Prober(worker, self)
        self.kernel: Kernel = worker.kernel

    async def run_once(self, held: Container) -> int:
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
                    self.worker.event("Warning", "Failed", f"Error: {problem}", held)
                    self.worker.publish()
                await sleep(CONFIG_RETRY)
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
            return self._could_not_start(held, failure)
        held.process = process
        held.began = self.kernel.now()
        process.on_output(held.log.write)
        process.on_exit(lambda _code: self._ended(held, process))  # whoever waits for it may be cancelled meanwhile
        stop_serving = self._serve_dns(held)
        held.state = {"running": {"startedAt": timestamp(held.began)}}
        held.started = held.spec.get("startupProbe") is None
        held.probed_ready = held.spec.get("readinessProbe") is None
        self.worker.event("Normal", "Started", "Container started", held)
        probes = self.prober.start(held, process)
        if self.worker.terminating:
            process.kill(SIGKILL)
        self.worker.publish()
        try:
            return await process.wait()
        finally:  # a Pod that is deleted by force is probed no more either
            stop_serving()
            for task in probes:
                task.cancel()

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
        if self.worker.machine is not None and system.is_coredns(held.spec["image"]):
            return self.worker.kubelet.nameserver.serve(self.worker.machine)
        return lambda: None

    def _could_not_start(self, held: Container, failure: ProgramNotFound) -> int:
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
        never = self.worker.pod["spec"].get("restartPolicy") == "Never" and not held.is_sidecar
        if never or held.kind == "ephemeral":
            held.state = ended
        else:
            held.state = {"waiting": {"reason": "RunContainerError", "message": text}}
            held.last = ended
        return 128

    def _ended(self, held: Container, process: Process) -> None:
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
        self.worker.publish()

    async def _pull(self, held: Container) -> ImageSpec:
        """Wait until the image is there (images/image_manager.go EnsureImageExists)."""
        backoff = FIRST_BACKOFF
        while True:
            reference = held.spec["image"]
            policy = held.spec.get("imagePullPolicy", "IfNotPresent")
            image = system.find_image(reference)
            if image is not None:
                if policy == "Always":
                    self.worker.event("Normal", "Pulling", f'Pulling image "{reference}"', held)
                    size = 20_000_000 + int(hashlib.sha256(reference.encode()).hexdigest()[:6], 16)
                    message = (
                        f'Successfully pulled image "{reference}" in 12ms (12ms including waiting). '
                        f"Image size: {size} bytes."
                    )
                    self.worker.event("Normal", "Pulled", message, held)
                else:
                    message = f'Container image "{reference}" already present on machine and can be accessed by the pod'
                    self.worker.event("Normal", "Pulled", message, held)
                return image
            if policy == "Never":
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

    def _host(self, held: Container) -> ContainerHost:
        """The machine as the container sees it. Raises ConfigError."""
        assert self.worker.machine is not None
        context = self.worker.kubelet.context
        env = container_environment(context.store, context.index, self._with_ip(), held.spec, self.worker.kubelet.ip)
        files = MountedFiles(
            base_files(self.worker.pod, self.worker.machine.ip), self.worker.volumes.mounts(held.spec, env)
        )
        return ContainerHost(
            self.worker.kubelet.network,
            self.worker.kubelet.nameserver,
            self.kernel,
            self.worker.machine,
            pod_hostname(self.worker.pod),
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
        process = run(held.host, held.image, argv, stdin=stdin, tty=tty)
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
        deadline = self.kernel.now() + seconds
        if hook := (held.spec.get("lifecycle") or {}).get("preStop"):
            try:
                await with_timeout(max(0.001, seconds), self._hook(held, hook))
            except TimeoutError_:
                pass
        try:
            for other in before:
                await with_timeout(max(0.0, deadline - self.kernel.now()), other.wait())
        except TimeoutError_:
            pass
        if process.exit_code is None:
            process.kill(held.image.stop_signal if held.image is not None else 15)
        try:
            await with_timeout(max(LEAST_GRACE, deadline - self.kernel.now()), process.wait())
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
                self.worker.event("Warning", "FailedPreStopHook", f"PreStopHook failed: {failure}", held)
            else:
                if code:
                    self.worker.event("Warning", "FailedPreStopHook", f"PreStopHook failed: exit status {code}", held)
        elif http := hook.get("httpGet"):
            await self.prober.once(held, {"httpGet": http, "timeoutSeconds": 30})


def pull_failure(reference: str) -> str:
    """Why an image cannot be had here: the embedded cluster knows only the images that the course uses."""
    full = full_image_name(reference)
    repository, _, tag = full.rpartition(":")
    return (
        f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
        f"{repository}:{tag} is not an image that the embedded cluster emulates: not found"
        " (for any image, use a kind cluster: grader cluster up --kind)"
    )
