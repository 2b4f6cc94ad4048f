"""What a container's postStart and preStop do.

Source: k8s.io/kubernetes/pkg/kubelet/lifecycle/handlers.go (1.36); the texts are seen on kind 1.36.3. A postStart that
hangs is not cancelled by the Pod's deletion: the Pod ends when the hook has ended (kubelet.go SyncPod calls the runtime
with context.WithoutCancel).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from grader.embedded.core.kernel import sleep
from grader.embedded.core.kubelet.probes import HTTP_TO_HTTPS, Result, RunExec
from grader.embedded.core.programs.images.running import ProgramNotFound

AGENT = "kube-lifecycle/1.36"
HTTP_SECONDS = 30.0
"""How long a request may take: the kubelet's client has no limit of its own, the connection has."""

Ask = Callable[[dict[str, Any]], Any]


async def run_hook(hook: dict[str, Any], where: str, run: RunExec, ask: Ask, fallback: Callable[[], None]) -> str:
    """Run a hook to its end; returns why it failed, "" where it did not.

    Args:
        hook: a LifecycleHandler.
        where: the container and Pod, as the text names them.
        run: starts a command in the container.
        ask: an awaitable Result of a probe's spec.
        fallback: called where a request by HTTPS was answered by HTTP.

    """
    if pause := hook.get("sleep"):
        await sleep(float(pause["seconds"]))
        return ""
    if "exec" in hook:
        command = hook["exec"].get("command") or []
        problem = await _execute(command, run)
        return problem and f"Exec lifecycle hook ([{' '.join(command)}]) for {where} failed - error: {problem}"
    if http := hook.get("httpGet"):
        result: Result = await ask({"httpGet": http, "timeoutSeconds": HTTP_SECONDS})
        if HTTP_TO_HTTPS in result.text:
            plain: Result = await ask({"httpGet": {**http, "scheme": "HTTP"}, "timeoutSeconds": HTTP_SECONDS})
            if plain.answered:
                fallback()
                result = plain
        if result.answered:  # whatever the status
            return ""
        return f"HTTP lifecycle hook ({http.get('path')}) for {where} failed - error: {result.text}"
    return f"Cannot run handler: invalid handler: {json.dumps(hook)}"


async def _execute(command: list[str], run: RunExec) -> str:
    try:
        process = run(command)
    except ProgramNotFound as failure:
        name = hashlib.sha256(" ".join(command).encode()).hexdigest()
        return (
            f'rpc error: code = Unknown desc = failed to exec in container: failed to start exec "{name}": '
            f'OCI runtime exec failed: exec failed: {failure}, message: ""'
        )
    output: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
    process.on_output(lambda fd, data: output[fd].extend(data))
    code = await process.wait()
    if code == 0:
        return ""
    errors = output[2].decode(errors="replace")
    written = json.dumps(output[1].decode(errors="replace") + errors, ensure_ascii=False)
    return f"command '{' '.join(command)}' exited with {code}: {errors}, message: {written}"
