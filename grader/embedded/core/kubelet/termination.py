"""The last words of a container: the file that it may write, or the end of its log.

Source: k8s.io/kubernetes v1.36.3 pkg/kubelet/kuberuntime/kuberuntime_container.go (getTerminationMessage,
readLastStringFromContainerLogs, convertToKubeContainerStatus), pkg/kubelet/container/runtime.go (the limits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.embedded.core.kubelet.logs import LogLine
from grader.embedded.core.programs.mounts import Files, Mount
from grader.embedded.core.store import Obj

LENGTH = 4096
"""Bytes of the file that are told, at the most."""
LOG_LINES, LOG_LENGTH = 80, 2048
"""Lines and bytes of the log that are told, at the most."""
_FILE = "termination-log"


def mount(container: Obj, files: Files) -> Mount:
    """The empty file that the kubelet mounts; `files` holds it."""
    path = container.get("terminationMessagePath") or "/dev/termination-log"
    files[_FILE] = b""
    return Mount(path if path.startswith("/") else f"/{path}", files, _FILE, is_file=True)


def message(container: Obj, files: Mapping[str, bytes], code: int, log: Sequence[LogLine]) -> str:
    """What is told of a run that has ended, "" for nothing.

    Args:
        container: its part of the Pod's spec.
        files: where `mount` put its file.
        code: its exit code.
        log: what it has written.
    """
    data = files.get(_FILE, b"")[-LENGTH:]
    if not data and code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        data = b"".join(line.text for line in log[-LOG_LINES:])[-LOG_LENGTH:]
    return data.decode(errors="replace")
