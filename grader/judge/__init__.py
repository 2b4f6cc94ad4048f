"""Judge: Evidence in, Report out. Pure; the only part that knows what is right."""

from __future__ import annotations

from dataclasses import replace

from grader.causes.acting import opened_beside
from grader.causes.lasting import going
from grader.causes.owed import owed
from grader.causes.rollouts import unmade
from grader.causes.ruling import Ruling, environment, fail, waited
from grader.causes.scene import Scene
from grader.causes.service import more_addresses
from grader.criteria.registry import kind_of
from grader.judge.chain import hops, place, walk
from grader.judge.ground import ground_wrong
from grader.judge.refusals import explain
from grader.model.evidence import Evidence
from grader.model.exercise import Criterion, Exercise
from grader.model.kubernetes import name_of
from grader.model.report import CriterionResult, Hop, HopState, HostUrl, Report, Verdict

__all__ = ["explain", "judge"]

STATES = {Verdict.FAIL: HopState.BROKEN, Verdict.NOT_YET: HopState.MOVING, Verdict.ENVIRONMENT: HopState.UNKNOWN}


def judge(exercise: Exercise, evidence: Evidence) -> Report:
    """Judge evidence. The same Evidence gives the same Report, always."""
    scene = Scene(exercise, evidence)
    whole = _of_all(scene)
    rulings = [whole or _rule(criterion, scene) for criterion in exercise.criteria]
    if all(ruling.verdict is Verdict.PASS for ruling in rulings) and (
        # everything asked for is there: and something that nobody asked for, or a given Pod not yet?
        whole := opened_beside(scene) or unmade(scene)
    ):
        rulings = [whole] * len(rulings)
    done = any(
        ruling.verdict is Verdict.PASS and not kind_of(criterion).forbids
        for criterion, ruling in zip(exercise.criteria, rulings, strict=True)
    )
    results = tuple(
        _result(criterion, ruling, earns=done or not kind_of(criterion).forbids)
        for criterion, ruling in zip(exercise.criteria, rulings, strict=True)
    )
    verdict = _overall(results)
    way = hops(exercise.criteria)
    if whole is not None and whole.hop is Hop.GROUND:
        way = (Hop.GROUND, *way)
    stop: Hop | None = None
    finding = results[-1].finding
    if verdict is not Verdict.PASS:
        causes = [
            (ruling.hop or criterion.hop, ruling.finding)
            for criterion, ruling in zip(exercise.criteria, rulings, strict=True)
            if ruling.verdict is verdict
        ]
        stop, finding = min(causes, key=lambda cause: place(way, cause[0]))
    return Report(
        exercise=exercise.id,
        title=exercise.title,
        verdict=verdict,
        points=sum(result.points for result in results),
        max_points=exercise.points,
        chain=walk(way, stop, STATES.get(verdict, HopState.HOLDS)),
        broken=stop if verdict is Verdict.FAIL else None,
        finding=finding,
        criteria=results,
        cluster=evidence.cluster,
        taken_at=evidence.taken_at,
        inert=evidence.inert,
        urls=_urls(evidence) if verdict is Verdict.PASS else (),
        namespace=exercise.namespace,
    )


def _urls(evidence: Evidence) -> tuple[HostUrl, ...]:
    """Find where this machine reaches the node ports of the exercise's own Services."""
    ports = (
        (name_of(service), port.get("nodePort"))
        for service in evidence.objects.of("services")
        if service["spec"].get("type") == "NodePort"
        for port in service["spec"].get("ports") or ()
    )
    known = evidence.host_ports
    return tuple(HostUrl(name, number, f"http://{known[number]}") for name, number in ports if number in known)


def _of_all(scene: Scene) -> Ruling | None:
    """Rule on everything at once: no answer from the cluster, a manifest that did not get in, a changed ground."""
    evidence = scene.evidence
    for problem in evidence.problems:
        if problem.fatal:
            return environment(problem, Hop.MANIFEST)
    if evidence.unreadable is not None:
        code = "manifest-empty" if evidence.unreadable.get("empty") else "manifest-unreadable"
        return fail(code, Hop.MANIFEST, **evidence.unreadable)
    if evidence.ground and evidence.ground.told:  # what was refused may be refused because of it
        return ground_wrong(scene)
    for result in evidence.manifests:
        if refusal := explain(result):
            return Ruling(Verdict.FAIL, refusal, Hop.MANIFEST)
    return ground_wrong(scene)


def _rule(criterion: Criterion, scene: Scene) -> Ruling:
    """Judge one criterion, and say what was expected and seen."""
    kind = kind_of(criterion)
    service = scene.service(kind.service) if kind.service else None
    ruling = (going(service) if service else None) or kind.rule(scene, negated=criterion.negated)
    if service and ruling.verdict is Verdict.PASS:
        ruling = more_addresses(service) or ruling
    ruling = waited(ruling, scene.evidence.quiet_for)
    told_by_objects = (ruling.hop or criterion.hop) in (Hop.MANIFEST, Hop.SERVICE)
    certain = ruling.verdict is Verdict.PASS and not criterion.negated
    if not (told_by_objects or certain) and (problem := owed(scene)):
        ruling = environment(problem, ruling.hop)
    expected, seen = kind.shown(scene)
    return replace(ruling, expected=ruling.expected or expected, seen=ruling.seen or seen)


def _result(criterion: Criterion, ruling: Ruling, *, earns: bool) -> CriterionResult:
    """Say what came of a criterion; one that only forbids earns nothing (`earns`) where nothing was done."""
    return CriterionResult(
        id=criterion.id,
        verdict=ruling.verdict,
        points=criterion.points if earns and ruling.verdict is Verdict.PASS else 0.0,
        max_points=criterion.points,
        hop=criterion.hop,
        finding=ruling.finding,
        expected=ruling.expected,
        seen=ruling.seen,
        subject=kind_of(criterion).subject,
        aspect=kind_of(criterion).aspect,
        waits_for=ruling.waits if ruling.verdict is Verdict.NOT_YET else None,
    )


def _overall(results: tuple[CriterionResult, ...]) -> Verdict:
    verdicts = {result.verdict for result in results}
    return next(
        (verdict for verdict in (Verdict.FAIL, Verdict.ENVIRONMENT, Verdict.NOT_YET) if verdict in verdicts),
        Verdict.PASS,
    )
