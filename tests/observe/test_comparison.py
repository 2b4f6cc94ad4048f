"""Our own Service is asked before the exercise's, and remembered for as long as it answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, cast

from grader.kube.client import ApiRefused, KubeApi
from grader.model.evidence import Controls, DnsAnswer, DnsQuestion, Outcome, ReachAnswer, ReachQuestion
from grader.observe.asking import Asking
from grader.observe.comparison import DNS_TRIES, PATIENT_SECONDS, Comparison
from tests.judge.world import CONTROL, World, slice_of


class Now(Executor):
    """Does everything at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Api:
    def __init__(self, *, refuses: bool = False, gone: bool = False) -> None:
        self.refuses, self.gone = refuses, gone

    def read(self, plural: str, name: str, namespace: str) -> Any:
        if self.refuses:
            raise ApiRefused({"reason": "Forbidden", "message": "forbidden"}, 403)
        return None if self.gone else CONTROL

    def list(self, plural: str, namespace: str, *, labels: str) -> list[Any]:
        assert labels == "kubernetes.io/service-name=control-shop-0"
        world = World()
        pods = world.pods[:2]
        found = [
            endpoint
            for item in world.objects().of("endpointslices")
            for endpoint in item["endpoints"]
            if endpoint["targetRef"]["name"] in {pod["metadata"]["name"] for pod in pods}
        ]
        return [slice_of(CONTROL, ("http", 8080, "TCP"), found)]


class Answers:
    """What is asked is answered as the test says."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds, self.patience, self.telling_names = seconds, seconds, True
        self.silent: set[str] = set()
        self.records: list[tuple[str, ...]] = []
        self.asked: list[ReachQuestion] = []
        self.looked_up: list[DnsQuestion] = []

    def briefly(self, question: ReachQuestion) -> ReachAnswer:
        self.asked.append(question)
        if question.vantage in self.silent:
            return ReachAnswer(question, Outcome.TIMEOUT)
        return ReachAnswer(question, Outcome.ANSWERED, dict.fromkeys(question.want, 3), 9)

    def dns(self, question: DnsQuestion) -> DnsAnswer:
        self.looked_up.append(question)
        records = self.records.pop(0) if self.records else ("10.96.9.9",)
        return DnsAnswer(question, Outcome.ANSWERED, "NOERROR" if records else "NXDOMAIN", records)


class Rounds:
    def __init__(self, api: Api | None = None) -> None:
        self.now = 100.0
        self.world = World()
        self.comparison = Comparison(cast(KubeApi, api or Api()), "control-shop-0", lambda: self.now)

    def ask(self, answers: Answers, after: float = 1.0) -> Controls:
        self.now += after
        asking = cast(Asking, answers)
        return self.comparison.ask(self.world.plan(), self.world.objects(), asking, Now())


def test_it_is_asked_from_our_own_namespace_and_from_the_exercises_at_the_same_shape() -> None:
    answers = Answers()
    controls = Rounds().ask(answers)
    assert {(item.vantage, item.host) for item in answers.asked} == {
        ("other-namespace", "10.96.9.9"),
        ("other-namespace", "control-shop-0.course-probe"),
        ("node/worker", "control-shop-0.course-probe"),
        ("same-namespace", "control-shop-0.course-probe"),
    }
    assert {item.want for item in answers.asked} == {("backend-a", "backend-b")}
    assert {item.vantage for item in answers.looked_up} == {"node/worker", "same-namespace"}
    assert len(answers.looked_up) == 2 * DNS_TRIES
    assert controls.age == 1.0
    assert all(item.right for item in (*controls.reach,)) and all(item.right for item in controls.dns)


def test_how_long_it_has_answered_begins_anew_with_every_failure() -> None:
    rounds, answers = Rounds(), Answers()
    rounds.ask(answers)
    steady = {item.answer.question.vantage: item.steady for item in rounds.ask(answers, 3.0).reach}
    assert set(steady.values()) == {3.0}
    answers.silent = {"same-namespace"}
    steady = {item.answer.question.vantage: item.steady for item in rounds.ask(answers).reach}
    assert (steady["same-namespace"], steady["node/worker"]) == (0.0, 4.0)
    answers.silent = set()
    rounds.ask(answers)
    steady = {item.answer.question.vantage: item.steady for item in rounds.ask(answers, 2.0).reach}
    assert (steady["same-namespace"], steady["node/worker"]) == (2.0, 7.0)


def test_one_of_several_dns_servers_that_does_not_know_the_name_is_enough() -> None:
    answers = Answers()
    answers.records = [("10.96.9.9",), (), ("10.96.9.9",)]
    controls = Rounds().ask(answers)
    assert [item.right for item in controls.dns] == [False, True]


def test_where_it_answers_the_exercises_questions_may_take_their_time() -> None:
    rounds, answers = Rounds(), Answers()
    rounds.ask(answers)
    assert answers.patience == answers.seconds  # once may be chance
    rounds.ask(answers, 2.0)
    assert (answers.patience, answers.seconds) == (PATIENT_SECONDS, 1.0)
    slow = Answers()
    slow.silent = {"same-namespace"}
    Rounds().ask(slow)
    assert (slow.patience, slow.telling_names, answers.telling_names) == (1.0, False, True)


def test_what_cannot_be_seen_is_said() -> None:
    assert Rounds(Api(refuses=True)).ask(Answers()).reason
    gone = Rounds(Api(gone=True)).ask(Answers())
    assert (gone.service, "control-shop-0" in gone.reason) == (None, True)
