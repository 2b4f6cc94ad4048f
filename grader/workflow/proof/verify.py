"""Prove exercises sound on a cluster: unsolved fails, answers pass, wrong answers fail with their own diagnosis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import Progress, silent
from grader.errors import ManifestError
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.model.evidence import Action, Evidence
from grader.model.exercise import Exercise, Form
from grader.model.kubernetes import name_of
from grader.model.report import Hop, Report, Verdict
from grader.workflow.check import check_with_evidence
from grader.workflow.ground.instruments import ensure_probe
from grader.workflow.ground.laying import ensure_namespaces, wait_ready
from grader.workflow.ground.manifests import read_documents
from grader.workflow.ground.record import record_clusters_own, remember
from grader.workflow.ground.restore import Key, clear
from grader.workflow.proof import script
from grader.workflow.session.start import refused

PARALLEL = {Provider.EMBEDDED: 40, Provider.KIND: 4, Provider.CONTEXT: 4}


@dataclass(frozen=True)
class Attempt:
    """One attempt at an exercise.

    Attributes:
        exercise: exercise id.
        kind: "unsolved", "answer", "wrong", "mutation", "handed-in", "renewed", "attack" or "harmless".
        name: file name without its ending; "unsolved" for the unsolved one.
        expected: "pass", "fail", or "fail CRITERION DIAGNOSIS".
        got: the same, as it came out.
        sound: whether they agree.
        seconds: from apply to verdict.
        report: the Report of this attempt.
        output: what a script printed, "" for a manifest.
        operator: of an attack: the operator.
        names: of an attack: words that the card must hold.
        named: of an attack: whether it failed, and the card holds them.
    """

    exercise: str
    kind: str
    name: str
    expected: str
    got: str
    sound: bool
    seconds: float
    report: Report
    output: str = ""
    operator: str = ""
    names: tuple[str, ...] = ()
    named: bool = False


@dataclass(frozen=True)
class VerifyResult:
    """All attempts.

    Attributes:
        cluster: provider and Kubernetes version.
        attempts: in the order exercise, unsolved, answers, wrong answers.
        seconds: for everything.
    """

    cluster: str
    attempts: tuple[Attempt, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether every attempt came out as expected, and there was one."""
        return bool(self.attempts) and all(attempt.sound for attempt in self.attempts)

    def to_json(self) -> dict[str, Any]:
        """Turn it into a JSON object; `from_json` reads it back equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VerifyResult:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it is not such an object."""
        attempts = tuple(
            Attempt(**{**item, "report": Report.from_json(item["report"]), "names": tuple(item.get("names", ()))})
            for item in data["attempts"]
        )
        return cls(data["cluster"], attempts, data["seconds"])


def verify(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    progress: Progress | None = None,
    *,
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
    make: Callable[[Exercise], Sequence[Task]] | None = None,
) -> VerifyResult:
    """Try every answer and wrong answer of these exercises, each in a namespace as new.

    Args:
        exercises: which.
        cluster: where; its namespaces of these exercises are reset.
        progress: told about each attempt: step "verify-attempt" with exercise, kind, name, got, sound, seconds.
        only: names of attempts ("unsolved", "starter", "reference", a wrong answer's name), or operators; empty: all.
        deadline: seconds for each verdict.
        parallel: how many exercises at a time; None: as many as keep this kind of cluster busy.
        make: lists the attempts at an exercise; None: `tasks`.

    Raises ClusterUnreachable where the API server does not answer, EnvironmentError_ ("given-not-ready") where the
    given workload does not come up.
    """
    begun = time.monotonic()
    lock = threading.Lock()

    def tell(code: str, facts: Mapping[str, str]) -> None:
        with lock:  # attempts run side by side; whoever listens need not care
            (progress or silent)(code, facts)

    with KubeApi(cluster.kubeconfig) as api:
        record_clusters_own(api, cluster)
    workers = parallel or PARALLEL[cluster.provider]
    with ThreadPoolExecutor(workers, thread_name_prefix="verify") as executor:
        futures = {
            exercise.id: executor.submit(_verify_one, exercise, cluster, tell, tuple(only), deadline, make or tasks)
            for exercise in sorted(exercises, key=length, reverse=True)
        }
        attempts = tuple(attempt for exercise in exercises for attempt in futures[exercise.id].result())
    label = f"{cluster.provider.value} {cluster.version}"
    return VerifyResult(label, attempts, round(time.monotonic() - begun, 3))


def length(exercise: Exercise) -> tuple[bool, int]:
    """Order exercises by how long they take: what begins last should end soon. Pods that wait are waited for."""
    return bool(exercise.ready), len(exercise.answers) + len(exercise.wrong)


@dataclass(frozen=True)
class Task:
    """What an attempt does.

    Attributes:
        kind: as in Attempt.
        name: as in Attempt.
        text: a manifest or a script; None: nothing is done.
        expected: as in Attempt.
        form: which of the two the text is, or what is done instead goes by.
        operator: as in Attempt.
        names: as in Attempt.
        run: does it all in another way, on ground that is as new.
    """

    kind: str
    name: str
    text: str | None
    expected: str
    form: Form = Form.MANIFEST
    operator: str = ""
    names: tuple[str, ...] = ()
    run: Callable[[KubeApi, Exercise, ClusterInfo, Task, float], Attempt] | None = None

    @property
    def is_manifest(self) -> bool:
        """Whether it does nothing but apply a manifest, if anything."""
        return self.run is None and not self.needs_kubectl

    @property
    def needs_kubectl(self) -> bool:
        """Whether a script takes part in it."""
        return self.form is Form.SCRIPT


def tasks(exercise: Exercise) -> tuple[Task, ...]:
    """List the attempts at an exercise."""
    broken = exercise.broken
    unsolved = f"fail {broken.criterion} {broken.diagnosis}" if broken else "fail"
    return (
        Task("unsolved", "unsolved", None, unsolved),
        Task("unsolved", "starter", exercise.starter, "fail"),
        *(Task("answer", answer.name, answer.text, "pass", answer.form) for answer in exercise.answers),
        *(
            Task("wrong", wrong.name, wrong.text, f"fail {wrong.criterion} {wrong.diagnosis}", wrong.form)
            for wrong in exercise.wrong
        ),
    )


def _verify_one(
    exercise: Exercise,
    cluster: ClusterInfo,
    progress: Progress,
    only: Sequence[str],
    deadline: float,
    make: Callable[[Exercise], Sequence[Task]],
) -> list[Attempt]:
    with KubeApi(cluster.kubeconfig) as api:
        return attempts_at(api, exercise, cluster, chosen(make(exercise), only), progress, deadline)


def chosen(tasks: Sequence[Task], only: Sequence[str]) -> list[Task]:
    """Choose tasks by name or operator; all where nothing is asked for."""
    return [task for task in tasks if not only or {task.name, task.operator} & set(only)]


def attempts_at(
    api: KubeApi,
    exercise: Exercise,
    cluster: ClusterInfo,
    tasks: Sequence[Task],
    progress: Progress,
    deadline: float,
    *,
    lull: float = 0.0,
) -> list[Attempt]:
    """Make attempts at an exercise one after the other, each on ground made new.

    With that ground, a Pod is made anew that is no older than a deleted Service in a creationTimestamp's whole seconds:
    `lull` seconds before each attempt spare that, where waiting costs nothing.
    """
    attempts = []
    made: Collection[str] | None = None
    with standing(api, exercise) as anew:
        for task in tasks:
            anew(made)
            if lull:
                api.clock.sleep(lull)
            made = _kinds(task)
            attempt = (task.run or _attempt)(api, exercise, cluster, task, deadline)
            attempts.append(attempt)
            progress("verify-attempt", shown(attempt))
    return attempts


def _kinds(task: Task) -> Collection[str] | None:
    """List the kinds that an attempt may make something of, None where it may be any."""
    if not task.is_manifest:
        return None
    try:
        found = read_documents(task.text or "")
    except ManifestError:
        return ()
    return {str(item.content.get("kind")) for item in found if isinstance(item.content, Mapping)}


def shown(attempt: Attempt) -> Mapping[str, str]:
    """Tell of an attempt what whoever waits is told."""
    return {
        "exercise": attempt.exercise,
        "kind": attempt.kind,
        "name": attempt.name,
        "expected": attempt.expected,
        "got": attempt.got,
        "sound": "yes" if attempt.sound else "no",
        "seconds": f"{attempt.seconds:.2f}",
    }


@contextmanager
def standing(api: KubeApi, exercise: Exercise) -> Iterator[Callable[..., None]]:
    """Yield what makes the ground as new (told the only kinds that were made, or nothing).

    In the end it is so again, and Namespaces that were not there are gone.
    """
    mine = [name for name in exercise.all_namespaces if api.read("namespaces", name) is None]
    restored: dict[Key, Object] = {}
    begun = False

    def anew(kinds: Collection[str] | None = None) -> None:
        nonlocal begun
        begun = True
        prepare(api, exercise, restored, kinds)

    yield anew
    if begun:
        clear(api, exercise, restored)
    for name in mine:  # nobody was at work there before
        api.delete("namespaces", name)


def _attempt(api: KubeApi, exercise: Exercise, cluster: ClusterInfo, task: Task, deadline: float) -> Attempt:
    begun = time.monotonic()
    text, ran = task.text, script.Ran(0, "")
    if task.text is not None and task.form is Form.SCRIPT:
        elsewhere = _elsewhere(api)
        text = None
        ran = script.run(task.text, exercise.namespace, cluster, strict=task.kind == "answer")
    report, evidence = check_with_evidence(exercise, cluster, text=text, deadline=deadline, api=api)
    seconds = round(time.monotonic() - begun, 3)
    _sweep(api, exercise, evidence)
    if task.text is not None and task.form is Form.SCRIPT:
        _sweep_elsewhere(api, _elsewhere(api) - elsewhere, task.text)
    got = told(report, task.expected)
    if task.kind == "mutation" and report.verdict is Verdict.NOT_YET:
        got = "fail"  # it is not let pass: an address that never comes, a Pod that never starts
    if task.kind == "answer" and ran.status:
        got = f"script exit {ran.status}"
    sound = got == task.expected
    return Attempt(exercise.id, task.kind, task.name, task.expected, got, sound, seconds, report, ran.output)


def solve(
    api: KubeApi, exercise: Exercise, cluster: ClusterInfo, task: Task, deadline: float, *, strict: bool = True
) -> tuple[Report, script.Ran]:
    """Do what an answer says (`strict`: a script ends at its first error), and judge. Raises as `script.run`."""
    text, ran = task.text, script.Ran(0, "")
    if text is not None and task.form is Form.SCRIPT:
        ran = script.run(text, exercise.namespace, cluster, strict=strict)
        text = None
    return check_with_evidence(exercise, cluster, text=text, deadline=deadline, api=api)[0], ran


def told(report: Report, expected: str) -> str:
    """Say what came out, in the form of what was expected."""
    words = expected.split()
    if len(words) == 1 or report.verdict is not Verdict.FAIL:
        return report.verdict.value
    if report.broken in (Hop.GROUND, Hop.MANIFEST):
        return f"fail {report.broken} {report.finding.diagnosis}"
    failed = [item for item in report.criteria if item.verdict is Verdict.FAIL]
    first = [item.id for item in failed if item.finding.diagnosis == report.finding.diagnosis]
    criterion = words[1] if words[1] in first else first[0]
    return f"fail {criterion} {report.finding.diagnosis}"


def prepare(
    api: KubeApi,
    exercise: Exercise,
    restored: dict[Key, Object] | None = None,
    kinds: Collection[str] | None = None,
) -> None:
    """Make the exercise's ground as new, wait until the given workload is ready, and record what was made anew.

    Args and errors: as `clear`.
    """
    before = dict(restored or {})
    try:
        ensure_namespaces(api, exercise)
        clear(api, exercise, restored, kinds)
        ensure_probe(api, exercise.namespace)
        wait_ready(api, exercise)
        if not before or before != restored:
            remember(api, exercise)
    except ApiRefused as error:
        raise refused(exercise, error) from error


def _sweep(api: KubeApi, exercise: Exercise, evidence: Evidence) -> None:
    """Delete what an attempt created in namespaces of others."""
    for item in evidence.manifests:
        if item.action is Action.CREATED and item.namespace not in exercise.all_namespaces and item.kind == "Service":
            api.delete("services", item.name, item.namespace)


def _elsewhere(api: KubeApi) -> set[str]:
    """Name the Services of the namespace that a learner who forgets the exercise's own works in."""
    return {name_of(item) for item in api.list("services", "default")}


def _sweep_elsewhere(api: KubeApi, new: set[str], text: str) -> None:
    """Delete what a script created there; other exercises are tried at the same time, and leave theirs there too."""
    for name in new:
        if name in text:
            api.delete("services", name, "default")
