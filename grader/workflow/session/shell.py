"""A shell for the course: variables that a running shell evaluates, or a shell of its own with a prompt."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.cluster import shell
from grader.cluster.info import ClusterInfo
from grader.kube import kubectl
from grader.paths import write_atomically
from grader.workflow.session import current

_PROMPT = """\
__grader_namespace() {
  local key value
  while read -r key value; do [ "$key" = namespace: ] && printf %s "$value"; done <"${KUBECONFIG%%:*}"
}
"""
_BASH = """\
[ -f ~/.bashrc ] && . ~/.bashrc
{exports}
{prompt}PS1='($(__grader_namespace)) '"$PS1"
eval "$(grader completion bash 2>/dev/null)"
"""
_ZSH = """\
ZDOTDIR={home}
[ -f {home}/.zshrc ] && . {home}/.zshrc
{exports}
{prompt}setopt PROMPT_SUBST
PROMPT='($(__grader_namespace)) '"$PROMPT"
autoload -Uz compinit && compinit -u
eval "$(grader completion zsh 2>/dev/null)"
"""


def variables(cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what a shell needs so that plain kubectl means the exercise there; its own kubeconfig is written.

    A shell that has one keeps it; a new one is in the exercise that was begun last.

    Raises ClusterUnreachable where the cluster's kubeconfig cannot be read, OSError.
    """
    own = shell.own(cluster, environment)
    if own is None:
        own = shell.new()
    if not own.is_file():
        shell.enter(own, cluster, current.last(cluster) or shell.DEFAULT_NAMESPACE)
    here = str(Path(sys.executable).parent)
    path = environment.get("PATH", "")
    added = {} if here in path.split(os.pathsep) else {"PATH": os.pathsep.join(filter(None, (here, path)))}
    return {"KUBECONFIG": shell.variable(own, cluster), "GRADER_CLUSTER": cluster.name, **added}


def exports(given: Mapping[str, str]) -> str:
    """Write variables as lines that a POSIX shell evaluates."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items())


@dataclass(frozen=True)
class Opening:
    """How a shell is started.

    Attributes:
        command: its command line.
        environment: its whole environment.

    """

    command: tuple[str, ...]
    environment: Mapping[str, str]


def opening(cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> Opening:
    """Prepare a shell like the person's own ($SHELL), whose prompt shows the Namespace of plain kubectl.

    bash and zsh get the prompt and completion, another shell the variables alone. Raises as `variables`.
    """
    fresh = {name: value for name, value in environment.items() if name != "KUBECONFIG"}
    given = variables(cluster, fresh)
    program = environment.get("SHELL") or shutil.which("bash") or "/bin/sh"
    start = Path(given["KUBECONFIG"].split(os.pathsep)[0]).parent
    inside = {**environment, **given}
    match Path(program).name:
        case "bash":
            write_atomically(start / "bashrc", _BASH.format(exports=exports(given), prompt=_PROMPT))
            return Opening((program, "--rcfile", str(start / "bashrc"), "-i"), inside)
        case "zsh":
            home = shlex.quote(environment.get("ZDOTDIR") or str(Path.home()))
            write_atomically(start / ".zshrc", _ZSH.format(home=home, exports=exports(given), prompt=_PROMPT))
            return Opening((program, "-i"), {**inside, "ZDOTDIR": str(start)})
        case _:
            return Opening((program, "-i"), inside)


def completion_script(program: str) -> str:
    """Write what bash, zsh or fish evaluates to complete `grader` and `kubectl`.

    Raises ToolMissing where there is no kubectl, EnvironmentError_ where it does not answer.
    """
    own = subprocess.run(
        [sys.executable, "-m", "grader.cli"],
        env={**os.environ, "_GRADER_COMPLETE": f"{program}_source"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    kubectls = subprocess.run(
        [str(kubectl.find()), "completion", program], capture_output=True, text=True, check=False
    ).stdout
    if program == "bash":  # kubectl's asks for bash-completion, which macOS does not bring
        kubectls = f"if type _get_comp_words_by_ref >/dev/null 2>&1; then\n{kubectls}\nfi\n"
    return f"{own}\n{kubectls}"
