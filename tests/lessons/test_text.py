"""What the lessons say: the words that learners type, links, minutes."""

from __future__ import annotations

import pytest

from grader.lessons.outline import lessons_root

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
    ],
)
def test_a_lesson_has_the_word_that_learners_type(word: str, where: list[int]) -> None:
    for number in where:
        assert word in LESSONS[number], f"lesson {number}"
