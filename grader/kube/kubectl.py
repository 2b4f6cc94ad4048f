"""The real kubectl that the course's wheel brings, run with the course's kubeconfig and never the learner's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import yaml

from grader.errors import EnvironmentError_, ToolMissing
from grader.kube.connection import load


def find() -> Path:
    """The kubectl beside the Python that runs, else the one on PATH. Raises ToolMissing ("kubectl-missing")."""
    beside = Path(sys.executable).parent / ("kubectl.exe" if os.name == "nt" else "kubectl")
    if beside.is_file():
        return beside
    if on_path := shutil.which("kubectl"):
        return Path(on_path)
    raise ToolMissing("kubectl-missing", beside=beside)


def environment(kubeconfig: Path, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for a process whose kubectl must speak to the course's cluster.

    The loopback is taken out of any proxy's reach, and kubectl is found first on PATH.
    """
    result = dict(os.environ if base is None else base)
    result["KUBECONFIG"] = str(kubeconfig)
    result["PATH"] = os.pathsep.join(part for part in (str(find().parent), result.get("PATH", "")) if part)
    outside = [part for part in result.get("NO_PROXY", result.get("no_proxy", "")).split(",") if part]
    result["NO_PROXY"] = result["no_proxy"] = ",".join(dict.fromkeys([*outside, "127.0.0.1", "localhost", "::1"]))
    return result


FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def in_namespace(kubeconfig: Path, namespace: str) -> str:
    """Write the text of a kubeconfig whose current context is in a Namespace; it may be kept in another folder.

    Raises ClusterUnreachable where the file cannot be read.
    """
    data = deepcopy(load(kubeconfig))
    for entry in data.get("contexts") or ():
        if entry.get("name") == data.get("current-context"):
            entry["context"] = {**(entry.get("context") or {}), "namespace": namespace}
    for group, item in (("clusters", "cluster"), ("users", "user")):
        for entry in data.get(group) or ():
            for key in FILES:
                if (entry.get(item) or {}).get(key):  # as kubectl reads it: relative to the file that names it
                    entry[item][key] = str(kubeconfig.resolve().parent / entry[item][key])
    return yaml.safe_dump(data)


def run(
    arguments: Sequence[str], kubeconfig: Path, *, stdin: str = "", timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run kubectl and return what it printed, whatever its exit status.

    Args:
        arguments: after "kubectl", ["apply", "-f", "-"].
        kubeconfig: the course's kubeconfig.
        stdin: given to its standard input.
        timeout: seconds after which it is ended.

    Raises ToolMissing ("kubectl-missing"), EnvironmentError_ ("kubectl-timeout").
    """
    command = [str(find()), *arguments]
    try:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env=environment(kubeconfig),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentError_("kubectl-timeout", command=" ".join(arguments), seconds=f"{timeout:g}") from error
