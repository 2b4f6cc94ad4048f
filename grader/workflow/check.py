"""Check an exercise: observe and judge until there is a verdict, or the deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from grader.causes.comparing import shape_of
from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress, silent
from grader.errors import ClusterUnreachable, ManifestError
from grader.judge import judge
from grader.judge.chain import ORDER
from grader.kube.client import ApiRefused, KubeApi, connected
from grader.model.evidence import Evidence, ManifestResult
from grader.model.exercise import Exercise
from grader.model.ground import Change
from grader.model.report import Report, Verdict, Waits
from grader.observe import Observer
from grader.observe.environment import unreachable
from grader.observe.observer import now
from grader.observe.reach import FIRST_SECONDS
from grader.workflow.ground import instruments
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.ground.bounds import Bounds
from grader.workflow.ground.controls import Control
from grader.workflow.ground.laying import target

INSPECT_AFTER = 1.5  # seconds: a verdict that comes at once needs no look at the environment
INSPECT_EVERY = 2.0  # seconds: each look lists nodes, Pods of kube-system and Leases
COMPARE_AFTER = 2.0  # seconds of silence after which a Service of our own is asked too
PATIENCE = ((12.0, 4.0), (5.0, 1.2), (0.0, FIRST_SECONDS))
"""Seconds that were waited, and how long a first try may then take: a busy machine answers late, but it answers."""
# How long a verdict must stand before it is given although something else is still moving.
FAIL_STANDS = 8.0
AHEAD_STANDS = 20.0  # where what is moving comes first on the way: the cause may lie there
LEAST_FAIL_STANDS = 2.0  # seconds, whatever the pace: two looks
ENVIRONMENT_STANDS = 2.0  # seconds: one look may fall on a moment in which something restarts
OVERTIME = 0.5  # of the deadline, where the objects are done and the verdict waits for time alone
PROBE_COMES_UP = 10.0  # seconds for which a probe Pod that was made anew is no fault yet


class Superseded(Exception):
    """Whoever asked for a verdict does not want it any more."""


def check(
    exercise: Exercise,
    cluster: ClusterInfo,
    *,
    manifest: Path | None = None,
    deadline: float = 60.0,
    progress: Progress | None = None,
) -> Report:
    """Give one verdict. Never raises for what a learner or a broken cluster can do: the Report says it.

    Args:
        exercise: the exercise.
        cluster: where.
        manifest: a file to apply first; None judges what is in the cluster.
        deadline: seconds after which a verdict that is still NOT_YET is given as it is; half as long again where the
            objects are done and it waits for time alone.
        progress: told what is being waited for.

    Raises OSError where the manifest file cannot be read.
    """
    text = manifest.read_text(encoding="utf-8", errors="replace") if manifest else None
    return check_with_evidence(exercise, cluster, text=text, deadline=deadline, progress=progress)[0]


def check_with_evidence(
    exercise: Exercise,
    cluster: ClusterInfo,
    *,
    text: str | None = None,
    deadline: float = 60.0,
    progress: Progress | None = None,
    hostile: bool = False,
    applying: Callable[[], tuple[ManifestResult, ...]] | None = None,
    told: tuple[Change, ...] = (),
    api: KubeApi | None = None,
    superseded: Callable[[], bool] = lambda: False,
) -> tuple[Report, Evidence]:
    """Give one verdict and the Evidence it rests on, to be saved and judged again.

    Args:
        exercise: the exercise.
        cluster: where.
        text: a manifest to apply first.
        deadline: as `check`.
        progress: as `check`.
        hostile: the manifest comes from somebody who is not trusted: only what the exercise lets change is let through.
        applying: brings an answer into the cluster in another way than applying `text`.
        told: how the ground differed where the answer was made, as the head of a hand-in tells.
        api: the cluster's API server, where connections to it are open already.
        superseded: asked between two looks whether the verdict is still wanted.

    Raises Superseded.
    """
    label = f"{cluster.provider.value} {cluster.version}"
    blank = Evidence(exercise.id, exercise.namespace, label, now())
    manifests: tuple[ManifestResult, ...] = ()
    try:
        if applying is not None:
            manifests = applying()
        elif text is not None:
            manifests = apply_manifests(
                text,
                exercise.namespace,
                cluster,
                api=api,
                bounds=Bounds.of(exercise) if hostile else None,
            )
        with connected(cluster.kubeconfig, api) as server:
            with Observer(target(cluster, server), exercise, told=told) as observer:
                return _until_told(observer, cluster, manifests, deadline, progress or silent, superseded=superseded)
    except ManifestError as error:
        facts = {**error.facts, **({"empty": "yes"} if error.code == "manifest-empty" else {})}
        evidence = Evidence(exercise.id, exercise.namespace, label, now(), unreadable=facts)
    except ClusterUnreachable as error:
        evidence = Evidence(**{**vars(blank), "manifests": manifests, "problems": (unreachable(error),)})
    return judge(exercise, evidence), evidence


def observe_once(exercise: Exercise, cluster: ClusterInfo, api: KubeApi | None = None) -> Evidence:
    """Observe the objects and ask every question once, without waiting for anything. Raises ClusterUnreachable."""
    with connected(cluster.kubeconfig, api) as server, Observer(target(cluster, server), exercise) as observer:
        return observer.observe(inspecting=True, first_seconds=PATIENCE[0][1])


def _until_told(
    observer: Observer,
    cluster: ClusterInfo,
    manifests: Sequence[ManifestResult],
    deadline: float,
    progress: Progress,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], None] | None = None,
    superseded: Callable[[], bool] = lambda: False,
) -> tuple[Report, Evidence]:
    """Observe and judge, again and again, until the verdict stands. Raises Superseded."""
    exercise, api = observer.exercise, observer.target.api
    clock, sleep = clock or observer.target.clock.monotonic, sleep or observer.target.clock.sleep
    begun = clock()
    standing: dict[Verdict, float] = {}
    inspected, pause, revived, told = begun - INSPECT_EVERY, observer.target.first_pause, -PROBE_COMES_UP, ""
    mended: set[str] = set()
    blind, silent_since = False, None
    if instruments.replace_strangers(api, cluster, exercise):
        revived = begun
    with Control(api, cluster, exercise.id) as control:
        while True:
            looked = clock()
            waited = looked - begun
            inspecting = (blind or waited > INSPECT_AFTER) and looked - inspected > INSPECT_EVERY
            inspected = looked if inspecting else inspected
            first = next(seconds for after, seconds in PATIENCE if waited >= after)
            evidence = observer.observe(manifests, inspecting=inspecting, first_seconds=first)
            report = judge(exercise, evidence)
            fatal = any(item.fatal for item in evidence.problems)
            standing = {report.verdict: standing.get(report.verdict, looked if fatal else clock())}
            stood = clock() - standing[report.verdict]
            if clock() - begun > deadline * (1 + OVERTIME if _only_lags(report) else 1):
                return report, evidence
            # what is broken in the cluster itself does not get well with an instrument of ours
            broken = any(not item.vantage for item in evidence.problems)
            reviving = clock() - revived < PROBE_COMES_UP and not (broken and report.verdict is Verdict.ENVIRONMENT)
            compared = evidence.controls is not None
            final = _final(report, stood, cluster.pace, reviving=reviving, compared=compared)
            if final and (fatal or observer.coexisted()):
                return report, evidence
            unseen = {item.vantage for item in evidence.problems if item.vantage}
            if unseen - mended and instruments.mend(api, cluster, exercise, unseen - mended):
                revived = clock()
            mended |= unseen
            blind = bool(evidence.problems) or report.verdict is Verdict.ENVIRONMENT
            silent_since = (silent_since or looked) if _compares(report) else None
            if silent_since is not None and clock() - silent_since >= COMPARE_AFTER and not compared:
                _compare(observer, control, evidence)
            told = _tell(report, told, progress)
            if superseded():
                raise Superseded
            sleep(pause)
            pause = min(pause * 1.4, observer.target.longest_pause)


def _compares(report: Report) -> bool:
    """Tell whether a verdict waits for how a Service of our own is answered."""
    waits = any(result.waits_for is Waits.CONTROL for result in report.criteria)
    return waits and report.verdict is not Verdict.FAIL


def _compare(observer: Observer, control: Control, evidence: Evidence) -> None:
    """Have a Service of our own asked from now on, of the shape of what is asked of the learner's."""
    shapes = {shape_of(answer.question, evidence.objects) for answer in evidence.reach}
    try:
        observer.compare(control.lay(shapes))
    except ApiRefused as refused:  # in somebody's own cluster we may not make one
        observer.compare_nothing(refused.message)


def _only_lags(report: Report) -> bool:
    """Tell whether a verdict is not yet due although the objects are done: a loaded machine looks slowly."""
    moving = [item.waits_for for item in report.criteria if item.verdict is Verdict.NOT_YET]
    return report.verdict is Verdict.NOT_YET and all(item is not None and item.lags for item in moving)


def _final(report: Report, stood: float, pace: float, *, reviving: bool, compared: bool) -> bool:
    """Tell whether a verdict needs no more waiting.

    Args:
        report: the verdict.
        stood: seconds for which it has been the same.
        pace: that of the data plane (Evidence.pace).
        reviving: an instrument of ours was made anew just now.
        compared: a Service of our own is asked too, which has had its time already.
    """
    moving = [result.waits_for for result in report.criteria if result.verdict is Verdict.NOT_YET]
    if report.verdict is Verdict.FAIL:
        blinded = any(result.verdict is Verdict.ENVIRONMENT for result in report.criteria)
        stands = AHEAD_STANDS if _moves_ahead(report) else FAIL_STANDS
        if moving and all(item is not None and item.lags for item in moving) and not blinded:
            return stood > max(stands * pace, LEAST_FAIL_STANDS)
        return not (moving or (blinded and reviving)) or stood > stands
    if report.verdict is Verdict.ENVIRONMENT:
        return stood >= (PROBE_COMES_UP if reviving else 0.0 if compared else ENVIRONMENT_STANDS)
    return report.verdict is Verdict.PASS


def _moves_ahead(report: Report) -> bool:
    """Tell whether something is moving that comes before the cause on the way."""
    if report.broken is None:
        return False
    first = next(index for index, result in enumerate(report.criteria) if result.verdict is Verdict.FAIL)
    cause = (ORDER.index(report.broken), first)
    return any(
        (ORDER.index(result.hop), index) < cause
        for index, result in enumerate(report.criteria)
        if result.verdict is Verdict.NOT_YET
    )


def _tell(report: Report, told: str, progress: Progress) -> str:
    """Report what is waited for, once each."""
    code = report.finding.diagnosis
    if code != told and report.verdict is not Verdict.PASS:
        facts: Mapping[str, str] = {"exercise": report.exercise, "diagnosis": code}
        progress("waiting", facts)
    return code
