"""What the lessons say: the words that learners type, links, minutes."""

from __future__ import annotations

import re

import pytest

from grader.exercises import all_exercises
from grader.lessons.notebook import learner_notebook
from grader.lessons.outline import lessons_root, outlines
from grader.lessons.source import read_lessons
from grader.paths import content_root

LESSONS = {int(path.name[:2]): path.read_text(encoding="utf-8") for path in sorted(lessons_root().glob("[0-9]*.md"))}


@pytest.mark.parametrize(
    ("word", "where"),
    [
        ("エンドポイント", [3, 9, 13]),
        ("エンドポイントが空", [9, 13]),
        ("デフォルト", [3]),
        ("負荷分散", [1, 5]),
        ("名前解決", [8, 13]),
        ("ポートフォワード", [3, 13]),
        ("ヘッドレス", [7]),
        ("外部からアクセス", [4, 5]),
        ("外部サービスに別名", [6]),
        ("ラベルセレクター", [3]),
        ("送信元IP", [12]),
        ("Connection refused", [13]),
        ("DNSが遅い", [8, 13]),
        ("publishNotReadyAddresses", [9]),
        ("タイプを変える", [14]),
        ("kubectl expose", [13]),
        ("readinessProbe", [9, 13, 15]),
        ("SRVレコード", [7, 8, 11]),
        ("`svc`", [13]),
        ("ロードバランサーのアドレスを割り当てるのが誰か", [5]),
        ("aws-load-balancer-type: external", [5]),
        ("internet-facing", [5]),
        ("loadBalancerSourceRanges", [5]),
        ("ipFamilyPolicy", [3]),
        ("デュアルスタック", [3]),
        ("`nftables`", [12]),
        ("`ipvs`", [12]),
        ("kubectl port-forward service/", [3, 13]),
        ("wget -qO-", [13]),
        ("kubectl describe service", [13]),
        ("-o wide", [13]),
    ],
)
def test_a_lesson_has_the_word_that_learners_type(word: str, where: list[int]) -> None:
    for number in where:
        assert word in LESSONS[number], f"lesson {number}"


def test_the_article_is_introduced_before_it_is_spoken_of() -> None:
    introduced = LESSONS[1].index("「Kubernetes Services:アプリケーションの公開とサービスディスカバリ」")
    assert introduced < LESSONS[1].index("## 準備")


def test_lessons_and_exercises_are_linked_not_only_numbered() -> None:
    for number, text in LESSONS.items():
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        assert not [found for found in re.findall(r"(?<!\[)レッスン(\d+)", prose) if int(found) != number], number
        for slug in re.findall(r"\]\((\d\d-[a-z-]+)\.md\)", text):
            assert (lessons_root() / f"{slug}.md").is_file()
        for id_ in re.findall(r"\]\(\.\./exercises/([a-z-]+)\.md\)", text):
            assert (content_root() / "exercises" / id_).is_dir()


def test_a_notebook_links_notebooks_and_nothing_that_is_only_on_the_site() -> None:
    exercises = {exercise.id: exercise for exercise in all_exercises()}
    for lesson in read_lessons(only=["02-types", "13-operations"]):
        texts = "\n".join(cell.source for cell in learner_notebook(lesson, exercises).cells)
        assert not re.findall(r"\]\((?!http)[^)]*\.md\)", texts)
        assert ("(03-clusterip.ipynb)" in texts) == (lesson.number == 2)
        assert ("| 届け先はあるのに断られる(`debug-target-port`) |" in texts) == (lesson.number == 13)


def test_a_lesson_counts_all_its_exercises_in_its_minutes() -> None:
    heads = {head.number: head for head in outlines()}
    assert heads[13].whole == 75
    assert heads[18].whole == 55  # the final exam has six parts
    assert all(head.whole > head.minutes for head in heads.values())


def test_a_lesson_tells_how_long_it_takes_without_its_exercises() -> None:
    for head in outlines():
        assert re.findall(r"演習を除いて(\d+)分ほどで終わります。", LESSONS[head.number]) == [str(head.minutes)]
        assert len(re.findall(r"\d+分ほど", LESSONS[head.number])) == 1


def test_the_first_page_tells_the_shortest_and_the_longest_lesson() -> None:
    index = (content_root() / "site" / "pages" / "index.md").read_text(encoding="utf-8")
    minutes = [head.whole for head in outlines()]
    assert f"1つのレッスンは、演習も含めて{min(minutes)}分から{max(minutes)}分です。" in index
