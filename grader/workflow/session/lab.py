"""`make start`: a cluster that is ready, the lessons as notebooks, and JupyterLab in Japanese at the start page."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from grader import paths
from grader.cluster import choose, info
from grader.cluster.provider import Progress
from grader.errors import ClusterMissing, ToolMissing
from grader.kube import kubectl
from grader.workflow.ground import learner
from grader.workflow.session import notebooks
from grader.workflow.session import progress as passing

_TERMINAL = """\
{python} -m grader.cli shell && exit
echo
exec "${{SHELL:-/bin/bash}}"
"""
"""What a terminal of JupyterLab runs: the course's shell, or where that cannot be opened (it says why) a plain one."""

CONFIG = Path(__file__).with_name("jupyter")


def cluster(name: str, progress: Progress) -> info.ClusterInfo:
    """The cluster of this name, running; an embedded one where none was ever brought up under it."""
    try:
        known = info.load(name)
    except ClusterMissing:
        return choose.provider(info.Provider.EMBEDDED).up(name, {}, progress)
    return choose.provider(known.provider).up(known.name, {}, progress)


def has_browser(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a browser would open in front of this person: not over SSH, not on a Linux console."""
    if "SSH_CONNECTION" in environment:
        return False
    return platform in {"darwin", "win32"} or any(name in environment for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def as_root() -> bool:
    """Whether this process is root's."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def terminal() -> dict[str, list[str]]:
    """What JupyterLab's terminals start: without a TTY of its own the server would take `sh -l`, which forgets PATH."""
    return {"shell_command": ["/bin/sh", "-c", _TERMINAL.format(python=shlex.quote(sys.executable))]}


def command(folder: Path, first: Path, arguments: tuple[str, ...], *, browser: bool) -> list[str]:
    """The JupyterLab command line that serves `folder` and opens `first`."""
    return [
        *(sys.executable, "-m", "grader.workflow.session.labserver", f"--ServerApp.root_dir={folder}"),
        f"--LabApp.default_url=/lab/tree/{first.relative_to(folder).as_posix()}",
        f"--ServerApp.terminado_settings={terminal()}",
        "--LabApp.custom_css=True",
        f"--ServerApp.tornado_settings={ {'static_custom_path': [str(CONFIG / 'custom')]} }",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "--KernelManager.transport_encryption=auto",  # a kernel on plain TCP can be listened to, and warns of that
        *(() if browser else ("--no-browser",)),
        *(("--allow-root",) if as_root() else ()),  # a container, mostly; JupyterLab would refuse in English
        *arguments,
    ]


def environment(cluster: info.ClusterInfo) -> dict[str, str]:
    """What JupyterLab and its kernels inherit: the course's cluster, our kubectl first, the Japanese interface."""
    return {
        **kubectl.environment(cluster.kubeconfig),
        "GRADER_CLUSTER": cluster.name,
        "GRADER_WORK": str(paths.work_root()),
        "JUPYTER_CONFIG_PATH": _before("JUPYTER_CONFIG_PATH"),
        "JUPYTER_PATH": _before("JUPYTER_PATH"),  # the kernel that knows the course without being told
        "GRADER_PROGRAM": paths.program(),
    }


def _before(variable: str) -> str:
    return os.pathsep.join(filter(None, (str(CONFIG), os.environ.get(variable))))


def prepare(name: str, arguments: tuple[str, ...], progress: Progress) -> tuple[list[str], dict[str, str]]:
    """Bring everything up; give the command line and the environment of the JupyterLab that this process becomes.

    Args:
        name: the cluster's name.
        arguments: more options of JupyterLab.
        progress: told each step.

    Raises ToolMissing where JupyterLab is not installed, EnvironmentError_ where the cluster cannot be brought up,
    ContentError where a lesson is malformed.
    """
    if find_spec("jupyterlab") is None:
        raise ToolMissing("lab-missing", python=sys.executable)
    ready = cluster(name, progress)
    folder = paths.work_root()
    laid = notebooks.lay(folder / "lessons", learner.current(), passing.load().passed)
    progress("lab-starting", {"folder": str(folder)})
    return command(folder, laid.start, arguments, browser=has_browser()), environment(ready)
