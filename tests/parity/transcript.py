"""Scripts of kubectl and probe steps, and transcripts of them in which only what Kubernetes decides is left.

A script (scripts/*.txt) is a list of steps, each begun by a mark:

    # what rule the next steps show, and its source
    $ kubectl apply -f - <<'EOF'      a step that is done once
    ...
    EOF
    ~ kubectl get endpointslices      a question, asked until its answer stays as it is (recording), or is the recorded
                                      one (comparing): controllers and the data plane need their time
    ! sleep 11                        done once, and its output is nobody's business

Steps run in bash, one after the other, in a Namespace named after the script; kubectl is the course's. What else
a step may call is in prelude.sh.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.embedded.core.support.telling import PREFIX

FOLDER = Path(__file__).parent
ONCE, ASKED, QUIET = "$", "~", "!"
STEP_SECONDS = 90.0
SETTLED_SECONDS = 2.5
"""How long an answer stays the same before it is recorded."""
PATIENCE_SECONDS = 20.0
PAUSE = 0.25
OWN_WARNING = re.compile(rf"^Warning: {PREFIX}.*\n", re.MULTILINE)
"""What the embedded cluster tells of itself, which no real one does."""
CHOSEN = "10.96.200."
"""ClusterIPs that scripts choose begin so; any other is named in transcripts, since it may be a generated one."""
PRELUDE = (FOLDER / "prelude.sh").read_text(encoding="utf-8")
"""Functions that every step may call."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        mark: ONCE, ASKED or QUIET.
        command: bash.
        line: its first line in the script, from 1.
    """

    mark: str
    command: str
    line: int


@dataclass(frozen=True)
class Script:
    """A script: its name, which is also its Namespace, and its steps."""

    name: str
    steps: tuple[Step, ...]


def scripts() -> tuple[Script, ...]:
    """All scripts."""
    return tuple(read(path) for path in sorted((FOLDER / "scripts").glob("*.txt")))


def read(path: Path) -> Script:
    """Read a script. Raises ValueError for a line outside of any step."""
    steps: list[tuple[str, list[str], int]] = []
    body = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark in (ONCE, ASKED, QUIET):
            steps.append((mark, [rest], number))
            body = True
        elif line.startswith("#") and not (body and "<<" in steps[-1][1][0] and "EOF" not in steps[-1][1]):
            body = False
        elif body:
            steps[-1][1].append(line)
        elif line:
            raise ValueError(f"{path.name}:{number}: {line!r} belongs to no step")
    return Script(path.stem, tuple(Step(mark, "\n".join(lines).strip(), line) for mark, lines, line in steps))


class Runner:
    """Runs the steps of one script on one cluster.

    Args:
        script: the script.
        environment: what kubectl needs: KUBECONFIG, PATH.
    """

    def __init__(self, script: Script, environment: Mapping[str, str]) -> None:
        self.script = script
        self._environment = {**os.environ, **environment, "NS": script.name, "KUBECTL_COMMAND_HEADERS": "false"}

    def begin(self) -> None:
        """Make the Namespace, with the client from which questions are asked."""
        self.end()
        made = self.run(f"kubectl create namespace {self.script.name}\n{_CLIENT}")
        if made[0]:
            raise RuntimeError(made[1])

    def end(self) -> None:
        """Delete the Namespace, and wait until it is gone."""
        self.run(f"kubectl delete namespace {self.script.name} --ignore-not-found --wait --timeout=120s")

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; its exit status, and what it printed to both outputs, without warnings of our own."""
        done = subprocess.run(
            ["bash", "-c", PRELUDE + command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_SECONDS,
            check=False,
        )
        return done.returncode, OWN_WARNING.sub("", done.stdout.decode(errors="replace"))

    def record(self) -> str:
        """Run everything; the transcript."""
        answers: list[tuple[Step, str]] = []
        for step in self.script.steps:
            answers.append((step, self._settled(step) if step.mark == ASKED else self._once(step)))
        return transcript(answers)

    def compare(self, recorded: str) -> Iterator[tuple[Step, str, str]]:
        """Run everything; each step whose answer is not the recorded one, with that and with what it is."""
        wanted = split(recorded)
        answers: list[tuple[Step, str]] = []
        for index, step in enumerate(self.script.steps):
            end = time.monotonic() + PATIENCE_SECONDS
            while True:
                answer = self._once(step)
                blocks = split(transcript([*answers, (step, answer)]))
                if blocks[index] == wanted[index] or step.mark != ASKED or time.monotonic() > end:
                    break
                time.sleep(PAUSE)
            answers.append((step, answer))
            if blocks[index] != wanted[index]:
                yield step, wanted[index], blocks[index]

    def _once(self, step: Step) -> str:
        status, output = self.run(step.command)
        shown = "" if step.mark == QUIET else output.rstrip("\n")
        return f"{shown}\n[exit {status}]" if status else shown

    def _settled(self, step: Step) -> str:
        answer, since = self._once(step), time.monotonic()
        end = since + PATIENCE_SECONDS
        while time.monotonic() - since < SETTLED_SECONDS and time.monotonic() < end:
            time.sleep(PAUSE)
            again = self._once(step)
            if normal([again]) != normal([answer]):
                answer, since = again, time.monotonic()
        return answer


_CLIENT = """kubectl apply -f - >/dev/null <<'EOF' &&
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  enableServiceLinks: false
  containers:
    - {name: client, image: "registry.k8s.io/e2e-test-images/agnhost:2.63.0", args: [pause]}
EOF
kubectl wait --for=condition=Ready pod/client --timeout=60s >/dev/null"""


def transcript(answers: list[tuple[Step, str]]) -> str:
    """Write steps and answers down, with what differs from run to run named in the order in which it first appears."""
    texts = normal([answer for _, answer in answers], "\n".join(step.command for step, _ in answers))
    blocks = [
        f"{step.mark} {step.command}\n{text}".rstrip("\n") for (step, _), text in zip(answers, texts, strict=True)
    ]
    return "\n\n".join(blocks) + "\n"


def split(text: str) -> list[str]:
    """Take a transcript apart: one text a step."""
    return re.split(r"\n\n(?=[$~!] )", text.rstrip("\n"))


def normal(answers: list[str], asked: str = "") -> list[str]:
    """Replace addresses, times and generated names by names of their own; the same one stays the same.

    An address that the commands choose (`asked`) is no generated one.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}

    def name(kind: str) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            found = match[0]
            if found.startswith(CHOSEN) and found in asked:
                return found
            if found not in names:
                counts[kind] = counts.get(kind, 0) + 1
                names[found] = f"<{kind} {counts[kind]}>"
            return names[found]

        return replace

    result = []
    for answer in answers:
        for pattern, kind in _NAMED:
            answer = pattern.sub(name(kind), answer)
        for pattern, text in _ALIKE:
            answer = pattern.sub(text, answer)
        result.append("\n".join(line.rstrip() for line in answer.splitlines()))
    return result


_NAMED = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "uid"),
    (re.compile(r"\b10\.244\.\d+\.\d+\b"), "pod-ip"),
    (re.compile(r"\b10\.96\.(?!0\.1\b|0\.10\b)\d+\.\d+\b"), "cluster-ip"),
    (re.compile(r"\b(?:172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d+\.\d+\b"), "node-net-ip"),
    (re.compile(r"(?<=-)[bcdf-hjklmnp-tv-z2456789]{8,10}(?=-[bcdf-hjklmnp-tv-z2456789]{5}\b)"), "template"),
    (re.compile(r"(?<=[-/])[bcdf-hjklmnp-tv-z2456789]{5}(?=\b)(?!-)"), "suffix"),
    (re.compile(r"\b3[012]\d{3}\b"), "node-port"),
)
_ALIKE = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d( GMT| [+]\d{4})?"), "<time>"),
    (re.compile(r"(?<=\s)(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+s(?=\s|$)|\s\d+m(?=\s|$)"), "<age>"),
    (re.compile(r"(?P<before>resourceVersion: )\"\d+\""), r"\g<before><version>"),
    (re.compile(r"[-\w]+-(?P<role>control-plane|worker2?)\b"), r"<node \g<role>>"),
)
