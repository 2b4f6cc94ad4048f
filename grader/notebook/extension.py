"""What `%load_ext grader` does: names, the `%%apply` magic, and a kernel's kubectl for the course's cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cluster.info import ClusterInfo, current_name, folder
from grader.errors import EnvironmentError_
from grader.kube.kubectl import environment
from grader.notebook.kernel import current
from grader.notebook.magic import apply
from grader.notebook.show import Shown, put, told
from grader.notebook.work import check, hint, history, map_, reset, solution, start, watch
from grader.render.card import Card
from grader.text import labels

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def with_body(lines: list[str]) -> list[str]:
    """Give an `%%apply` cell without a body an empty line, for IPython would refuse it in English before we see it."""
    bare = len(lines) == 1 and lines[0].split(maxsplit=1)[0:1] == ["%%apply"]
    return [*lines, "\n"] if bare else lines


def welcome(cluster: ClusterInfo) -> Card:
    """Give the card that says which cluster this notebook uses."""
    table = labels()
    facts = {"name": cluster.name, "provider": table[f"provider.{cluster.provider.value}"], "version": cluster.version}
    return Card(
        symbol=table["symbol.pass"],
        verdict=table["notebook.ready"],
        tone="pass",
        title="",
        points="",
        chain=(),
        parts=((table["part.cluster"], table["notebook.loaded"].format(**facts)),),
        rows=(),
    )


def load(interactive: InteractiveShell) -> None:
    """Do what `%load_ext grader` does. A missing cluster is shown, not raised: it can be brought up later."""
    know(interactive)
    with told():
        put(Shown(welcome(current())))


def know(interactive: InteractiveShell) -> None:
    """Register names and the magic in a kernel, and nothing else; cells find the cluster when they need it."""
    interactive.register_magic_function(apply, "cell", "apply")  # type: ignore[arg-type]
    names = {item.__name__: item for item in (check, hint, history, reset, solution, start, watch)}
    interactive.push({**names, "progress": map_})  # type: ignore[no-untyped-call]
    if with_body not in interactive.input_transformers_cleanup:
        interactive.input_transformers_cleanup.append(with_body)
    here = str(Path(sys.executable).parent)
    if here not in os.environ.get("PATH", "").split(os.pathsep):  # `!grader`
        os.environ["PATH"] = os.pathsep.join(filter(None, (here, os.environ.get("PATH", ""))))
    try:
        current()
    except EnvironmentError_:  # without a cluster, too, kubectl must not find the learner's own
        os.environ.update(environment(folder(current_name()) / "kubeconfig"))
