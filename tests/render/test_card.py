from dataclasses import replace

import pytest

from grader.errors import ClusterMissing, ManifestError, UsageError
from grader.model.report import Finding, Report, Verdict
from grader.render.card import error_card, number, report_card
from grader.render.terminal import plain_text
from tests.render.samples import ALL, ENVIRONMENT, FAILED, PASSED, WAITING


def test_a_failure_shows_the_broken_hop_once_and_greys_what_comes_after() -> None:
    tones = [hop.tone for hop in report_card(FAILED).chain]
    assert tones == ["holds", "holds", "broken", "unknown", "unknown", "unknown"]


def test_a_failure_says_what_where_next() -> None:
    parts = dict(report_card(FAILED).parts)
    assert list(parts) == ["何が", "どこで", "次に"]
    assert "app=backned" in parts["どこで"]
    assert "kubectl get pods -n clusterip --show-labels" in parts["次に"]


def test_a_criterion_behind_the_broken_hop_is_not_called_a_failure() -> None:
    rows = {row.id: row for row in report_card(FAILED).rows}
    assert rows["endpoints"].verdict == "不合格"
    assert rows["reach"].tone == "skipped"
    assert rows["reach"].verdict == "手前を直してから"


def test_a_pass_says_what_was_proved() -> None:
    parts = dict(report_card(PASSED).parts)
    assert parts["確認"] == "3個のPodすべてが、名前での呼び出しに応答しました。"
    assert parts["根拠"].startswith("別のNamespaceのPodから")


@pytest.mark.parametrize("report", [WAITING, ENVIRONMENT])
def test_what_is_not_scored_shows_no_points(report: Report) -> None:
    assert "/" not in report_card(report).points
    assert "採点していません" in report_card(report).points


def test_every_verdict_has_its_own_symbol_and_word() -> None:
    cards = [report_card(report) for report in ALL]
    assert len({card.symbol for card in cards}) == len({card.verdict for card in cards}) == len(Verdict)


def test_the_same_criterion_failing_twice_at_the_broken_hop_is_two_failures() -> None:
    twin = replace(FAILED.criteria[1], id="twin")
    rows = report_card(replace(FAILED, criteria=(*FAILED.criteria, twin))).rows
    assert [row.tone for row in rows] == ["pass", "fail", "skipped", "fail"]


def test_a_diagnosis_without_words_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        report_card(replace(FAILED, finding=Finding("no-such-diagnosis")))


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ClusterMissing("cluster-missing", name="x"), "環境エラー"),
        (UsageError("work-missing", file="work/x.yaml", exercise="x"), "実行できませんでした"),
        (ManifestError("manifest-unreadable", line=2, column=1, reason="-"), "読めませんでした"),
    ],
)
def test_an_error_says_whose_turn_it_is(error: UsageError, word: str) -> None:
    assert error_card(error).verdict == word


@pytest.mark.parametrize(("points", "shown"), [(2.0, "2"), (1.5, "1.5"), (0.0, "0"), (1 / 3, "0.33"), (10.0, "10")])
def test_points_have_no_needless_fraction(points: float, shown: str) -> None:
    assert number(points) == shown


def test_a_failure_is_shown_side_by_side_and_a_pass_is_not() -> None:
    pair = report_card(FAILED).pair
    assert pair is not None
    assert pair.id == next(item.id for item in FAILED.criteria if item.finding == FAILED.finding)
    assert pair.expected != pair.seen
    assert report_card(PASSED).pair is None


def test_the_columns_of_a_terminal_hold_what_was_expected_and_seen_on_the_same_lines() -> None:
    lines = plain_text(report_card(FAILED), 80).splitlines()
    head = next(index for index, line in enumerate(lines) if "│" in line)
    assert [word.strip() for word in lines[head].split("│")] == ["期待", "実際"]
    left, right = zip(*(line.split("│") for line in lines[head + 1 :] if "│" in line), strict=True)
    assert "backend-5d9c7-2xk4p:8080" in "".join(left)
    assert "".join(right).strip()
