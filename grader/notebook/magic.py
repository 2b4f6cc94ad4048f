"""`%%apply`: the cell is a manifest. Apply it, and show what the API server said, in Japanese where it refused."""

from __future__ import annotations

import shlex

from grader.errors import UsageError
from grader.notebook import kernel, own
from grader.notebook.show import Shown, put, told
from grader.paths import near, work_root
from grader.render.apply import apply_card
from grader.text import labels
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.session import history
from grader.workflow.session.find import exercise as find
from grader.workflow.session.start import starter_path, starter_text

DEFAULT_NAMESPACE = "default"


def _arguments(line: str) -> tuple[str, str]:
    """Read `%%apply [EXERCISE] [-n NAMESPACE]`: the exercise id ("" for none) and the namespace ("" for none).

    Raises UsageError where the line is something else.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError("apply-line", line=line) from error
    exercise = namespace = ""
    while words:
        word = words.pop(0)
        if word in {"-n", "--namespace"} and words:
            namespace = words.pop(0)
        elif word.startswith("--namespace="):
            namespace = word.partition("=")[2]
        elif word.startswith("-") or exercise:
            raise UsageError("apply-line", line=line)
        else:
            exercise = word
    return exercise, namespace


def apply(line: str, cell: str) -> None:
    """Apply the cell: `%%apply clusterip` into that exercise's namespace, keeping the cell as its work file.

    What that file held before is kept as a version.
    Without an exercise, objects go where they say, else into `-n NAMESPACE`, else into "default".
    """
    with told():
        exercise_id, namespace = _arguments(line)
        saved = next_step = ""
        kept = None
        if exercise_id:
            chosen = find(exercise_id)
            namespace = namespace or chosen.namespace
            own.refuse_others(chosen, cell)
            if cell.strip():  # an empty cell does not wipe what the file holds
                file = starter_path(chosen, work_root())
                kept = history.save(file, cell if cell.endswith("\n") else cell + "\n", starter_text(chosen))
                saved = str(near(file))
            next_step = labels()["apply.next"].format(exercise=chosen.id)
        counted = f"\n{cell}"  # the line of %%apply counts, too: an error's line is that of the cell
        results = apply_manifests(counted, namespace or DEFAULT_NAMESPACE, kernel.current())
        put(Shown(apply_card(results, saved=saved, kept=str(near(kept)) if kept else "", next_step=next_step)))
