"""One line completes both `grader` and `kubectl`."""

from __future__ import annotations

import subprocess

from grader.workflow.session.shell import completion_script


def test_bash_takes_it_and_knows_both_commands() -> None:
    script = completion_script("bash")
    asked = (
        "\ncomplete -p grader; type _get_comp_words_by_ref >/dev/null 2>&1 || echo without; declare -F __start_kubectl"
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", "_get_comp_words_by_ref() { :; }\n" + script + asked],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "_grader_completion" in done.stdout
    assert "__start_kubectl" in done.stdout


def test_without_bash_completion_grader_is_completed_alone() -> None:
    script = completion_script("bash")
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\ncomplete -p grader; complete -p kubectl"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "_grader_completion" in done.stdout
    assert "kubectl" not in done.stdout
