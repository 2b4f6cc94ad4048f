"""Run an answer that is a shell script: what a person would type, on the course's cluster, in the exercise's Namespace.

Only scripts of the course are run; a submission is never one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_
from grader.kube.kubectl import environment, in_namespace
from grader.paths import write_atomically

SECONDS = 60.0
STRICT = ("-e", "-o", "pipefail")


@dataclass(frozen=True)
class Ran:
    """What came of a script.

    Attributes:
        status: its exit status.
        output: what it printed, standard output and errors as they came.
    """

    status: int
    output: str


def run(text: str, namespace: str, cluster: ClusterInfo, *, strict: bool, seconds: float = SECONDS) -> Ran:
    """Run a script with bash, in a folder of its own that is gone afterwards.

    Args:
        text: the script.
        namespace: where kubectl works unless the script names another.
        cluster: whose kubectl.
        strict: stop at the first command that fails, as lessons do.
        seconds: how long it may take.

    Raises EnvironmentError_ ("script-unstartable", "script-timeout"), ToolMissing, ClusterUnreachable.
    """
    bash = shutil.which("bash")
    if bash is None:
        raise EnvironmentError_("script-unstartable", reason="bash")
    with tempfile.TemporaryDirectory(prefix="grader-script-") as scratch:
        folder = Path(scratch)
        kubeconfig = folder / "kubeconfig"
        write_atomically(kubeconfig, in_namespace(cluster.kubeconfig, namespace), mode=0o600)
        script = folder / "answer.sh"
        script.write_text(text, encoding="utf-8")
        work = folder / "work"
        work.mkdir()
        variables = environment(kubeconfig)
        variables["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), variables["PATH"]))
        variables["KUBECACHEDIR"] = str(folder / "cache")
        variables.pop("BASH_ENV", None)
        try:
            process = subprocess.Popen(
                [bash, *(STRICT if strict else ()), str(script)],
                cwd=work,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentError_("script-unstartable", reason=error) from error
        with process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                output = _end(process)
                raise EnvironmentError_("script-timeout", seconds=f"{seconds:g}", output=output or "-") from error
            except BaseException:
                _end(process)
                raise
    return Ran(process.returncode, output)


def _end(process: subprocess.Popen[str]) -> str:
    """End a script and what it started, and return what it printed."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return process.communicate()[0].strip()
