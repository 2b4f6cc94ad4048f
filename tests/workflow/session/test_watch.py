from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo, Provider
from grader.errors import ClusterUnreachable
from grader.model.evidence import Evidence
from grader.model.exercise import Exercise
from grader.model.report import Report, Verdict
from grader.workflow.check import Superseded
from grader.workflow.session import find, progress, watch
from grader.workflow.session.start import StartResult, starter_text
from tests.render.samples import FAILED, PASSED

ALL = exercises.all_exercises()
FIRST = ALL[0]
CLUSTER = ClusterInfo("c", Provider.EMBEDDED, Path("kubeconfig"), "v1.36.3")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(watch, "RETRY_AFTER", 0.0)


def test_work_begins_at_the_first_exercise_that_has_not_passed() -> None:
    assert find.following(ALL, None) == ALL[0]
    progress.record(replace(PASSED, exercise=ALL[0].id))
    assert find.following(ALL, None) == ALL[1]


def test_what_has_passed_is_skipped_on_the_way() -> None:
    progress.record(replace(PASSED, exercise=ALL[1].id))
    assert find.following(ALL, ALL[0]) == ALL[2]


def test_after_the_last_one_comes_what_was_left_before() -> None:
    assert find.following(ALL, ALL[-1]) == ALL[0]


def test_nothing_follows_where_all_have_passed() -> None:
    for exercise in ALL[:-1]:
        progress.record(replace(PASSED, exercise=exercise.id))
    assert find.following(ALL, ALL[-1]) is None


class Still:
    """A cluster in which something changes when a test says so."""

    def __init__(self) -> None:
        self.pending: dict[str, str] = {}
        self.looked_at: Callable[[], object] = lambda: None

    def changed(self) -> dict[str, str]:
        if self.pending:
            then, self.looked_at = self.looked_at, lambda: None
            then()
        return dict(self.pending)

    def seen(self, before: object, versions: object) -> None:
        self.pending.clear()


class World:
    """Verdicts as a test wants them; what was asked for, in order, and how each was brought about."""

    def __init__(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.changes = Still()
        self.file = work / f"{FIRST.id}.yaml"
        self.applied: list[str | None] = []
        self.shown: list[watch.Seen] = []
        self.steps: list[Callable[[], object]] = []
        self.report: Report = FAILED
        self.refuses = False
        self.during: Callable[[], object] = lambda: None
        self.begins: list[Callable[[], object]] = []
        self.work = watch.Watching(CLUSTER, work, self.show, changes=self.watching)
        monkeypatch.setattr(watch, "start", self.start)
        monkeypatch.setattr(watch, "reset", self.start)
        monkeypatch.setattr(watch, "check_with_evidence", self.check)

    @contextmanager
    def watching(self, exercise: Exercise, cluster: ClusterInfo) -> Iterator[Still]:
        yield self.changes

    def start(self, exercise: Exercise, cluster: ClusterInfo, work: Path, told: object) -> StartResult:
        if self.begins:
            self.begins.pop(0)()
        work.mkdir(exist_ok=True)
        if not self.file.exists():
            self.file.write_text(starter_text(exercise), encoding="utf-8")
        return StartResult(exercise.namespace, work / f"{exercise.id}.yaml", True, ())

    def check(
        self, exercise: Exercise, cluster: ClusterInfo, *, text: str | None, superseded: Callable[[], bool], **_: object
    ) -> tuple[Report, Evidence]:
        self.applied.append(text)
        during, self.during = self.during, lambda: None
        during()
        if superseded():
            raise Superseded
        unreadable = {"line": "1"} if self.refuses and text else None
        return self.report, Evidence(exercise.id, exercise.namespace, "c", "", unreadable=unreadable)

    def show(self, seen: watch.Seen) -> None:
        self.shown.append(seen)
        if seen.doing is watch.Doing.WATCHING or seen.error:
            self.steps.pop(0)() if self.steps else self.work.stop()

    def save(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def change(self) -> None:
        self.changes.pending["uid"] = "2"

    def play(self, *steps: Callable[[], object]) -> list[str | None]:
        """Do each step after the verdict before it; give what was applied for each verdict."""
        self.steps = list(steps)
        self.work.run(FIRST)
        return self.applied


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "home" / "clusters" / "c").mkdir(parents=True)
    return World(tmp_path / "work", monkeypatch)


def test_the_starter_is_judged_without_being_applied_over_what_commands_made(world: World) -> None:
    assert world.play() == [None]


def test_what_was_written_before_is_applied_at_once(world: World) -> None:
    world.file.parent.mkdir()
    world.save("mine: 1\n")
    assert world.play() == ["mine: 1\n"]


def test_a_save_is_applied_and_kept_as_a_version(world: World) -> None:
    assert world.play(lambda: world.save("mine: 1\n")) == [None, "mine: 1\n"]
    assert [path.read_text() for path in world.file.parent.glob(".history/*/*.yaml")] == ["mine: 1\n"]


def test_a_change_in_the_cluster_is_judged_and_the_file_is_not_applied_again(world: World) -> None:
    assert world.play(lambda: world.save("mine: 1\n"), world.change) == [None, "mine: 1\n", None]


def test_an_editor_that_replaces_the_file_is_followed(world: World) -> None:
    def replaced() -> None:
        world.file.unlink()
        world.save("new: 1\n")

    assert world.play(replaced) == [None, "new: 1\n"]


def test_a_manifest_that_was_refused_is_told_until_another_one_is_saved(world: World) -> None:
    world.refuses = True

    def change_which_is_followed_by_a_save() -> None:
        world.changes.looked_at = lambda: world.save("second: 22\n")
        world.change()

    saved = world.play(lambda: world.save("first: 1\n"), change_which_is_followed_by_a_save)
    assert saved == [None, "first: 1\n", "second: 22\n"]


def test_a_save_while_a_verdict_is_made_ends_that_one(world: World) -> None:
    world.during = lambda: world.save("mine: 1\n")
    assert world.play() == [None, "mine: 1\n"]


def test_another_exercise_is_begun_when_it_is_asked_for_although_a_verdict_is_being_made(world: World) -> None:
    world.during = lambda: world.work.go(ALL[1])
    world.play()
    assert world.shown[-1].exercise is ALL[1]


def test_a_cluster_that_is_down_is_told_and_tried_again(world: World) -> None:
    def down() -> None:
        raise ClusterUnreachable("api-timeout", server="s", seconds="3")

    world.begins = [down]
    assert world.play(lambda: None) == [None]
    assert [seen.error is not None for seen in world.shown].count(True) == 1


def test_a_verdict_that_time_may_change_is_made_again(world: World) -> None:
    world.report = replace(FAILED, verdict=Verdict.NOT_YET)
    assert world.play(lambda: None) == [None, None]


def test_a_reset_makes_the_exercise_new_and_judges_it(world: World) -> None:
    assert world.play(world.work.reset) == [None, None]
    assert watch.Doing.RESETTING in [seen.doing for seen in world.shown]
